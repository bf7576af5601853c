#include "vmr/train/embed_dataset.h"

#include <ATen/ATen.h>

#include <algorithm>
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

constexpr int64_t kPrepareBatch = 256;

// Scores of one film against the tracks of its shortlist, the rest below them in the order of
// `first`.
at::Tensor with_shortlist(model::MatchingModel& model, const at::Tensor& film,
                          const at::Tensor& music, const at::Tensor& first,
                          const JointOptions& options) {
  const auto best = std::get<1>(first.topk(options.shortlist));
  const auto joint =
      model.score_prepared(film, music.index_select(0, best.to(music.device())), options.scoring)
          .squeeze(0)
          .to(at::kCPU);
  const auto gap = joint.min() - first.max() - 1;
  return (first + gap).scatter(0, best, joint);
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
  VMR_CHECK(films.dim() == 3 && tracks.dim() == 3 && films.size(1) == tracks.size(1) &&
                films.size(2) == tracks.size(2),
            "embedding_scores: expected [films, vectors, dim] and [tracks, vectors, dim], got ",
            films.sizes(), " and ", tracks.sizes());
  return at::mm(films.flatten(1), tracks.flatten(1).t()) / static_cast<double>(films.size(1));
}

std::optional<at::Tensor> joint_scores(model::MatchingModel& model, const data::PairDataset& items,
                                       const at::Tensor& first, const JointOptions& options,
                                       const RunControl& control) {
  const at::NoGradGuard no_grad;
  const auto device = device_of(model);
  if (!model.prepare_music(data::to_device(items.collate_music({0}), device))) return {};
  const auto tracks = static_cast<int64_t>(items.tracks().size()), films = items.size();
  const auto music = in_batches(tracks, kPrepareBatch, [&](const Places& places) {
    return *model.prepare_music(data::to_device(items.collate_music(places), device));
  });
  const auto video = in_batches(films, kPrepareBatch, [&](const Places& places) {
    return *model.prepare_video(data::to_device(items.collate_video(places), device));
  });
  const bool whole = options.shortlist <= 0 || options.shortlist >= tracks;
  VMR_CHECK(whole || (first.dim() == 2 && first.size(0) == films && first.size(1) == tracks),
            "joint_scores: a shortlist needs scores [", films, ", ", tracks, "] to choose from");
  std::vector<at::Tensor> rows;
  for (int64_t film = 0; film < films; ++film) {
    if (control.stop.stop_requested()) return {};
    const auto one = video.narrow(0, film, 1);
    rows.push_back(whole ? model.score_prepared(one, music, options.scoring).squeeze(0).cpu()
                         : with_shortlist(model, one, music, first[film], options));
    control.progress({"joint scores", film + 1, films, ""});
  }
  return at::stack(rows);
}

}  // namespace vmr::train
