#include "vmr/eval/sampled_negatives.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "eval/score_rows.h"
#include "vmr/core/error.h"

namespace vmr::eval {
namespace {

using nlohmann::json;

void check_shapes(const DirectedScores& scores, std::span<const int64_t> film_tracks) {
  const auto& sizes = scores.video_to_music.sizes();
  VMR_CHECK(sizes.size() == 2 && scores.music_to_video.sizes() == sizes &&
                sizes[0] == int64_t(film_tracks.size()),
            "sampled_negatives: expected scores [", film_tracks.size(), " films, tracks], got ",
            sizes, " and ", scores.music_to_video.sizes());
  for (const int64_t track : film_tracks) {
    VMR_CHECK(track >= 0 && track < sizes[1], "sampled_negatives: column ", track, " of ", sizes[1],
              " tracks");
  }
}

// Moves `count` of the items drawn at random to the front.
void draw(std::vector<int64_t>& items, int64_t count, std::mt19937_64& random) {
  for (int64_t i = 0; i < count; ++i) {
    std::swap(items[i], items[i + int64_t(random() % uint64_t(int64_t(items.size()) - i))]);
  }
}

// One query: the scores of all candidates, the right one, and those that may stand beside it.
struct Question {
  at::Tensor scores;  // [candidates] float64
  int64_t right;
  std::vector<int64_t> others;
};

template <typename Ask>
SampledFigures figures_of(const std::vector<double>& weights, const SampledOptions& options,
                          const Ask& ask) {
  SampledFigures figures;
  figures.pairs = int64_t(weights.size());
  const auto mean_of_repeats = [&](auto& figure, const std::vector<double>& values) {
    const double count = double(values.size());
    figure.value = std::accumulate(values.begin(), values.end(), 0.0) / count;
    double square = 0;
    for (const double value : values) square += std::pow(value - figure.value, 2);
    if (values.size() > 1) figure.deviation = std::sqrt(square / (count - 1));
  };
  std::map<int64_t, std::vector<double>> recall, ndcg;
  std::mt19937_64 random(options.seed);
  for (int64_t repeat = 0; repeat < options.repeats; ++repeat) {
    for (const int64_t k : options.ks) recall[k].push_back(0), ndcg[k].push_back(0);
    for (size_t pair = 0; pair < weights.size(); ++pair) {
      auto question = ask(int64_t(pair));
      const auto count = std::min(options.negatives, int64_t(question.others.size()));
      draw(question.others, count, random);
      figures.gallery = std::max(figures.gallery, count + 1);
      if (repeat == 0) {
        for (const int64_t k : options.ks) {
          figures.recall[k].chance += weights[pair] * std::min(1.0, double(k) / double(count + 1));
        }
      }
      const double* scores = question.scores.template const_data_ptr<double>();
      int64_t rank = 1;
      for (int64_t i = 0; i < count; ++i) {
        const int64_t other = question.others[size_t(i)];
        rank += is_better(scores[other], scores[question.right]) ||
                (is_tied(scores[other], scores[question.right]) && other < question.right);
      }
      for (const int64_t k : options.ks) {
        if (rank > k) continue;
        recall[k].back() += weights[pair];
        ndcg[k].back() += weights[pair] * std::log(2.0) / std::log(double(rank) + 1);
      }
    }
  }
  for (const int64_t k : options.ks) {
    mean_of_repeats(figures.recall[k], recall[k]);
    mean_of_repeats(figures.ndcg[k], ndcg[k]);
  }
  return figures;
}

std::vector<double> weights_of(std::span<const int64_t> film_tracks, bool inverse_popularity) {
  std::map<int64_t, double> films;
  for (const int64_t track : film_tracks) ++films[track];
  std::vector<double> weights;
  for (const int64_t track : film_tracks) {
    weights.push_back(inverse_popularity ? 1 / films[track] / double(films.size())
                                         : 1 / double(film_tracks.size()));
  }
  return weights;
}

json to_json(const SampledFigures& figures) {
  json document = {{"pairs", figures.pairs}, {"gallery", figures.gallery}};
  for (const auto& [k, figure] : figures.recall) {
    document["recall"][std::to_string(k)] = {
        {"value", figure.value}, {"deviation", figure.deviation}, {"chance", figure.chance}};
  }
  for (const auto& [k, figure] : figures.ndcg) {
    document["ndcg"][std::to_string(k)] = {{"value", figure.value},
                                           {"deviation", figure.deviation}};
  }
  return document;
}

}  // namespace

void validate(const SampledOptions& options) {
  VMR_CHECK(options.negatives >= 1 && options.repeats >= 1,
            "sampled_negatives: expected negatives and repeats of 1 or more, got ",
            options.negatives, " and ", options.repeats);
  VMR_CHECK(!options.ks.empty(), "sampled_negatives: expected a k, got none");
  for (const int64_t k : options.ks) {
    VMR_CHECK(k >= 1, "sampled_negatives: expected k >= 1, got ", k);
  }
}

SampledBothWays sampled_negatives(const DirectedScores& scores,
                                  std::span<const int64_t> film_tracks,
                                  const SampledOptions& options) {
  validate(options);
  check_shapes(scores, film_tracks);
  const auto weights = weights_of(film_tracks, options.inverse_popularity);
  const auto of_films = scores.video_to_music.to(at::kDouble).contiguous();
  const auto of_tracks = scores.music_to_video.to(at::kDouble).t().contiguous();
  SampledBothWays both;
  both.video_to_music = figures_of(weights, options, [&](int64_t film) {
    Question question{of_films[film], film_tracks[size_t(film)], {}};
    for (int64_t track = 0; track < of_films.size(1); ++track) {
      if (track != question.right) question.others.push_back(track);
    }
    return question;
  });
  both.music_to_video = figures_of(weights, options, [&](int64_t film) {
    Question question{of_tracks[film_tracks[size_t(film)]], film, {}};
    for (int64_t other = 0; other < of_tracks.size(1); ++other) {
      if (film_tracks[size_t(other)] != film_tracks[size_t(film)]) question.others.push_back(other);
    }
    return question;
  });
  return both;
}

json sampled_document(const SampledBothWays& figures, const SampledOptions& options) {
  return {{"negatives", options.negatives},
          {"repeats", options.repeats},
          {"weights", options.inverse_popularity ? "inverse_popularity" : "equal"},
          {"video_to_music", to_json(figures.video_to_music)},
          {"music_to_video", to_json(figures.music_to_video)}};
}

}  // namespace vmr::eval
