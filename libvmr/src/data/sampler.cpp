#include "vmr/data/sampler.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "data/random_stream.h"
#include "vmr/core/error.h"

namespace vmr::data {
namespace {

using Lists = std::vector<std::vector<int64_t>>;

// Films by class, classes in ascending order of their number.
Lists films_by_class(const std::vector<int64_t>& class_of_film) {
  std::map<int64_t, std::vector<int64_t>> lists;
  for (size_t film = 0; film < class_of_film.size(); ++film) {
    lists[class_of_film[film]].push_back(static_cast<int64_t>(film));
  }
  Lists result;
  for (auto& [number, films] : lists) result.push_back(std::move(films));
  return result;
}

std::vector<double> class_weights(const std::vector<int64_t>& sizes, double alpha) {
  const auto films = static_cast<double>(std::accumulate(sizes.begin(), sizes.end(), int64_t{0}));
  std::vector<double> weights;
  for (const int64_t size : sizes) {
    weights.push_back(alpha / static_cast<double>(sizes.size()) +
                      (1 - alpha) * static_cast<double>(size) / films);
  }
  return weights;
}

std::vector<int64_t> sizes_of(const Lists& lists) {
  std::vector<int64_t> sizes;
  for (const auto& list : lists) sizes.push_back(static_cast<int64_t>(list.size()));
  return sizes;
}

Lists shuffled_batches(int64_t films, const SamplerOptions& options, RandomStream& random) {
  std::vector<int64_t> order(static_cast<size_t>(films));
  std::iota(order.begin(), order.end(), 0);
  random.shuffle(order);
  const int64_t count = batches_per_epoch(films, options);
  Lists batches;
  for (int64_t i = 0; i < count; ++i) {
    const auto begin = order.begin() + i * options.batch;
    const auto end = i + 1 == count ? order.end() : begin + options.batch;
    batches.emplace_back(begin, end);
  }
  return batches;
}

Lists balanced_fixed_batches(Lists lists, int64_t films, const SamplerOptions& options,
                             RandomStream& random) {
  for (auto& list : lists) random.shuffle(list);
  const auto sizes = sizes_of(lists);
  std::vector<size_t> position(lists.size(), 0);
  Lists batches;
  for (int64_t i = 0; i < batches_per_epoch(films, options); ++i) {
    const auto counts = class_counts(sizes, options, i);
    std::vector<int64_t> batch;
    for (size_t c = 0; c < lists.size(); ++c) {
      for (int64_t n = 0; n < counts[c]; ++n) {
        batch.push_back(lists[c][position[c]]);
        position[c] = (position[c] + 1) % lists[c].size();
      }
    }
    random.shuffle(batch);
    batches.push_back(std::move(batch));
  }
  return batches;
}

Lists balanced_random_batches(const Lists& lists, int64_t films, const SamplerOptions& options,
                              RandomStream& random) {
  std::vector<double> bounds = class_weights(sizes_of(lists), options.alpha);
  std::partial_sum(bounds.begin(), bounds.end(), bounds.begin());
  Lists batches(static_cast<size_t>(batches_per_epoch(films, options)));
  for (auto& batch : batches) {
    for (int64_t n = 0; n < options.batch; ++n) {
      const double place = random.uniform() * bounds.back();
      const auto found = std::upper_bound(bounds.begin(), bounds.end() - 1, place);
      const auto& list = lists[static_cast<size_t>(found - bounds.begin())];
      batch.push_back(list[static_cast<size_t>(random.below(static_cast<int64_t>(list.size())))]);
    }
  }
  return batches;
}

}  // namespace

void validate(const SamplerOptions& options) {
  VMR_CHECK(options.batch >= 1, "SamplerOptions: batch must be at least 1, got ", options.batch);
  VMR_CHECK(options.alpha >= 0 && options.alpha <= 1,
            "SamplerOptions: alpha must lie in 0..1, got ", options.alpha);
  VMR_CHECK(options.steps_per_epoch >= 0,
            "SamplerOptions: steps_per_epoch must not be negative, got ", options.steps_per_epoch);
}

int64_t batches_per_epoch(int64_t films, const SamplerOptions& options) {
  validate(options);
  VMR_CHECK(films >= 1, "batches_per_epoch: there are no films");
  if (options.kind == SamplerKind::shuffled) {
    const int64_t full = films / options.batch, rest = films % options.batch;
    return std::max<int64_t>(1, full + (rest >= 2 ? 1 : 0));
  }
  if (options.steps_per_epoch > 0) return options.steps_per_epoch;
  return std::max<int64_t>(1, films / options.batch);
}

std::vector<int64_t> class_counts(const std::vector<int64_t>& class_sizes,
                                  const SamplerOptions& options, int64_t batch_index) {
  VMR_CHECK(!class_sizes.empty(), "class_counts: there are no classes");
  std::vector<int64_t> counts;
  for (const double weight : class_weights(class_sizes, options.alpha)) {
    // nearbyint rounds half to even in the default rounding mode.
    counts.push_back(
        static_cast<int64_t>(std::nearbyint(weight * static_cast<double>(options.batch))));
  }
  int64_t rest = options.batch - std::accumulate(counts.begin(), counts.end(), int64_t{0});
  if (options.remainder == Remainder::largest_class) {
    auto& largest = *std::max_element(counts.begin(), counts.end());
    largest = std::max<int64_t>(0, largest + rest);
    return counts;
  }
  const auto classes = static_cast<int64_t>(counts.size());
  for (int64_t c = batch_index * std::abs(rest) % classes; rest != 0; c = (c + 1) % classes) {
    auto& count = counts[static_cast<size_t>(c)];
    if (rest > 0) {
      ++count, --rest;
    } else if (count > 0) {
      --count, ++rest;
    }
  }
  return counts;
}

Lists epoch_batches(const std::vector<int64_t>& class_of_film, const SamplerOptions& options,
                    uint64_t seed, int64_t epoch) {
  const auto films = static_cast<int64_t>(class_of_film.size());
  VMR_CHECK(films >= 1, "epoch_batches: there are no films");
  validate(options);
  RandomStream random = random_stream(seed, Purpose::batches, epoch);
  switch (options.kind) {
    case SamplerKind::shuffled:
      return shuffled_batches(films, options, random);
    case SamplerKind::balanced_fixed:
      return balanced_fixed_batches(films_by_class(class_of_film), films, options, random);
    case SamplerKind::balanced_random:
      return balanced_random_batches(films_by_class(class_of_film), films, options, random);
  }
  VMR_ASSERT(false, "sampler kind ", static_cast<int>(options.kind));
  return {};
}

std::optional<int64_t> find_film_without_negative(const std::vector<int64_t>& class_of_film,
                                                  const std::vector<int64_t>& track_of_film) {
  std::map<int64_t, size_t> of_class, of_track;
  std::map<std::pair<int64_t, int64_t>, size_t> of_both;
  for (size_t film = 0; film < class_of_film.size(); ++film) {
    ++of_class[class_of_film[film]];
    ++of_track[track_of_film.at(film)];
    ++of_both[{class_of_film[film], track_of_film[film]}];
  }
  for (size_t film = 0; film < class_of_film.size(); ++film) {
    const auto own = class_of_film[film], track = track_of_film[film];
    const auto excluded = of_class[own] + of_track[track] - of_both[{own, track}];
    if (excluded == class_of_film.size()) return static_cast<int64_t>(film);
  }
  return std::nullopt;
}

NegativeSampler::NegativeSampler(std::vector<int64_t> class_of_film,
                                 std::vector<int64_t> track_of_film)
    : class_of_film_(std::move(class_of_film)), track_of_film_(std::move(track_of_film)) {
  VMR_CHECK(class_of_film_.size() == track_of_film_.size(),
            "NegativeSampler: ", class_of_film_.size(), " classes but ", track_of_film_.size(),
            " tracks of films");
  films_of_class_ = films_by_class(class_of_film_);
  VMR_CHECK(films_of_class_.size() >= 2,
            "NegativeSampler: negatives need films of at least two tags, got ",
            films_of_class_.size(), "; give the films tags or use a model without negatives");
  for (size_t c = 0; c < films_of_class_.size(); ++c) {
    for (const int64_t film : films_of_class_[c]) {
      class_of_film_[static_cast<size_t>(film)] = static_cast<int64_t>(c);
    }
  }
}

std::vector<int64_t> NegativeSampler::draw(const std::vector<int64_t>& films, uint64_t seed,
                                           int64_t epoch, int64_t step) const {
  RandomStream random = random_stream(seed, Purpose::negatives, epoch, step);
  const auto classes = static_cast<int64_t>(films_of_class_.size());
  std::vector<int64_t> negatives;
  negatives.reserve(films.size());
  for (const int64_t film : films) {
    const int64_t own = class_of_film_.at(static_cast<size_t>(film));
    const int64_t track = track_of_film_[static_cast<size_t>(film)];
    const auto free_film = [&](int64_t other) {
      return track_of_film_[static_cast<size_t>(other)] != track;
    };
    int64_t candidate = -1;
    // Redrawing ends soon unless nearly all other films have the same track; then it is counted.
    for (int attempt = 0; attempt < 100 && candidate < 0; ++attempt) {
      const int64_t other = (own + 1 + random.below(classes - 1)) % classes;
      const auto& list = films_of_class_[static_cast<size_t>(other)];
      candidate = list[static_cast<size_t>(random.below(static_cast<int64_t>(list.size())))];
      if (!free_film(candidate)) candidate = -1;
    }
    if (candidate < 0) {
      std::vector<int64_t> free;
      for (int64_t c = 0; c < classes; ++c) {
        const auto& list = films_of_class_[static_cast<size_t>(c)];
        if (c != own) std::copy_if(list.begin(), list.end(), std::back_inserter(free), free_film);
      }
      VMR_CHECK(!free.empty(), "NegativeSampler: film at position ", film,
                " has no negative: all films of other tags have its track");
      candidate = free[static_cast<size_t>(random.below(static_cast<int64_t>(free.size())))];
    }
    negatives.push_back(candidate);
  }
  return negatives;
}

}  // namespace vmr::data
