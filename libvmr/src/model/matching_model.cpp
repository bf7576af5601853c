#include "vmr/model/matching_model.h"

#include "vmr/core/error.h"

namespace vmr::model {

at::Tensor MatchingModel::score_prepared(const at::Tensor&, const at::Tensor&, PairScoring,
                                         Distance) {
  throw InvalidArgument(detail::concat("score_prepared: a ", kind(),
                                       " model has no joint scores; compare its embeddings"));
}

at::Tensor MatchingModel::tag_scores(const at::Tensor&, const at::Tensor&) {
  throw InvalidArgument(detail::concat("tag_scores: a ", kind(), " model has no tag classifier"));
}

std::optional<at::Tensor> MatchingModel::score_pairs(const data::FeatureMap& video,
                                                     const data::FeatureMap& music,
                                                     PairScoring scoring, Distance distance) {
  const auto films = prepare_video(video), tracks = prepare_music(music);
  if (!films || !tracks) return std::nullopt;
  return score_prepared(*films, *tracks, scoring, distance);
}

}  // namespace vmr::model
