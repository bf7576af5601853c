#include "vmr/train/embed_dataset.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "vmr/core/error.h"

namespace vmr::train {
namespace {

using Places = std::vector<int64_t>;

at::Tensor in_batches(int64_t count, int64_t batch,
                      const std::function<at::Tensor(const Places&)>& rows_of) {
  VMR_CHECK(batch >= 1, "embed: batch must be at least 1, got ", batch);
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> parts;
  for (int64_t begin = 0; begin < count; begin += batch) {
    Places places(static_cast<size_t>(std::min(batch, count - begin)));
    std::iota(places.begin(), places.end(), begin);
    parts.push_back(rows_of(places));
  }
  VMR_CHECK(!parts.empty(), "embed: the data set has no items");
  return at::cat(parts);
}

at::Device device_of(const model::MatchingModel& model) {
  return model.parameters().front().device();
}

void check_vectors(const at::Tensor& films, const at::Tensor& tracks) {
  VMR_CHECK(films.dim() == 3 && tracks.dim() == 3 && films.size(1) == tracks.size(1) &&
                films.size(2) == tracks.size(2),
            "embedding_scores: expected [films, vectors, dim] and [tracks, vectors, dim], got ",
            films.sizes(), " and ", tracks.sizes());
}

// Scores [items] of a gallery [items, n]: of those that are best by `first` by `score`, of the
// others in the order of `first` below them; of all by `score` where there is no shortlist.
template <typename Score>
at::Tensor shortlisted(const at::Tensor& gallery, const at::Tensor& first, int64_t shortlist,
                       const Score& score) {
  if (shortlist <= 0) return score(gallery).to(at::kCPU);
  VMR_CHECK(first.dim() == 1 && first.size(0) == gallery.size(0), "a shortlist of ",
            gallery.size(0), " items needs as many scores to choose from, got ", first.sizes());
  const auto length = std::min(shortlist, gallery.size(0));
  // In the gallery's order, so that a shortlist of all is the gallery itself.
  const auto best = std::get<0>(std::get<1>(first.topk(length)).sort());
  const auto joint = score(gallery.index_select(0, best.to(gallery.device()))).to(at::kCPU);
  const auto gap = joint.min() - first.max() - 1;
  return (first + gap).scatter(0, best, joint);
}

void check_first(const at::Tensor& first, const at::Tensor& films, const at::Tensor& music) {
  VMR_CHECK(first.dim() == 2 && first.size(0) == films.size(0) && first.size(1) == music.size(0),
            "joint_scores: expected scores [", films.size(0), ", ", music.size(0),
            "] to choose from, got ", first.sizes());
}

}  // namespace

at::Tensor embed_music(model::MatchingModel& model, const data::PairDataset& items, int64_t batch) {
  return in_batches(static_cast<int64_t>(items.tracks().size()), batch, [&](const Places& places) {
    const auto music = data::to_device(items.collate_music(places), device_of(model));
    return model.embed_music(music).to(at::kFloat).cpu();
  });
}

at::Tensor embed_films(model::MatchingModel& model, const data::PairDataset& items, int64_t batch) {
  return in_batches(items.size(), batch, [&](const Places& places) {
    const auto video = data::to_device(items.collate_video(places), device_of(model));
    return model.embed_video(video).to(at::kFloat).cpu();
  });
}

at::Tensor embedding_scores(const at::Tensor& films, const at::Tensor& tracks) {
  check_vectors(films, tracks);
  return at::mm(films.flatten(1), tracks.flatten(1).t()) / static_cast<double>(films.size(1));
}

at::Tensor embedding_scores(const at::Tensor& films, const at::Tensor& tracks,
                            const std::vector<model::ScoreSlice>& slices, Distance distance) {
  if (distance == Distance::cosine) return embedding_scores(films, tracks);
  check_vectors(films, tracks);
  auto sum = at::zeros({films.size(0), tracks.size(0)}, films.options());
  constexpr int64_t kPlainDifferences = 2;  // products would cancel where items are close
  for (const auto& slice : slices) {
    const auto film = films.slice(2, slice.begin, slice.end).transpose(0, 1).contiguous();
    const auto track = tracks.slice(2, slice.begin, slice.end).transpose(0, 1).contiguous();
    // A slice has the length of the root of its weight.
    sum -= std::sqrt(slice.weight) * at::cdist(film, track, 2, kPlainDifferences).mean(0);
  }
  return sum;
}

std::optional<at::Tensor> prepare_music(model::MatchingModel& model, const data::PairDataset& items,
                                        int64_t batch) {
  const auto device = device_of(model);
  if (!model.prepare_music(data::to_device(items.collate_music({0}), device))) return {};
  return in_batches(static_cast<int64_t>(items.tracks().size()), batch, [&](const Places& places) {
    return *model.prepare_music(data::to_device(items.collate_music(places), device));
  });
}

std::optional<at::Tensor> prepare_films(model::MatchingModel& model, const data::PairDataset& items,
                                        int64_t batch) {
  const auto device = device_of(model);
  if (!model.prepare_video(data::to_device(items.collate_video({0}), device))) return {};
  return in_batches(items.size(), batch, [&](const Places& places) {
    return *model.prepare_video(data::to_device(items.collate_video(places), device));
  });
}

at::Tensor joint_row(model::MatchingModel& model, const at::Tensor& film, const at::Tensor& music,
                     const at::Tensor& first, const JointOptions& options) {
  return shortlisted(music, first, options.shortlist, [&](const at::Tensor& tracks) {
    return model.score_prepared(film, tracks, options.scoring, options.distance).squeeze(0);
  });
}

at::Tensor joint_column(model::MatchingModel& model, const at::Tensor& films,
                        const at::Tensor& track, const at::Tensor& first,
                        const JointOptions& options) {
  VMR_CHECK(options.scoring == model::PairScoring::own,
            "joint_column: expected scores of each pair's own vectors, got gallery_mean");
  return shortlisted(films, first, options.shortlist, [&](const at::Tensor& some) {
    return model.score_prepared(some, track, options.scoring, options.distance).squeeze(1);
  });
}

std::optional<at::Tensor> joint_scores(model::MatchingModel& model, const data::PairDataset& items,
                                       const at::Tensor& first, const JointOptions& options,
                                       const RunControl& control) {
  const auto music = prepare_music(model, items);
  if (!music) return {};
  return joint_scores(model, *prepare_films(model, items), *music, first, options, control);
}

std::optional<at::Tensor> joint_scores(model::MatchingModel& model, const at::Tensor& films,
                                       const at::Tensor& music, const at::Tensor& first,
                                       const JointOptions& options, const RunControl& control) {
  const at::NoGradGuard no_grad;
  check_first(first, films, music);
  const int64_t count = films.size(0);
  std::vector<at::Tensor> rows;
  for (int64_t film = 0; film < count; ++film) {
    if (control.stop.stop_requested()) return {};
    rows.push_back(joint_row(model, films.narrow(0, film, 1), music, first[film], options));
    control.progress({"joint scores", film + 1, count, ""});
  }
  return at::stack(rows);
}

std::optional<at::Tensor> joint_scores_of_tracks(model::MatchingModel& model,
                                                 const at::Tensor& films, const at::Tensor& music,
                                                 const at::Tensor& first,
                                                 const std::vector<int64_t>& asking,
                                                 const JointOptions& options,
                                                 const RunControl& control) {
  const at::NoGradGuard no_grad;
  check_first(first, films, music);
  VMR_CHECK(options.shortlist > 0 && options.scoring == model::PairScoring::own,
            "joint_scores_of_tracks: expected a shortlist and scores of each pair's own vectors");
  auto scores = first.clone();
  int64_t done = 0;
  for (const int64_t track : asking) {
    if (control.stop.stop_requested()) return {};
    scores.select(1, track).copy_(
        joint_column(model, films, music.narrow(0, track, 1), first.select(1, track), options));
    control.progress({"joint scores of tracks", ++done, int64_t(asking.size()), ""});
  }
  return scores;
}

}  // namespace vmr::train
