// The items of the UT-CMVMR goldens: features and classes by the formula of nn/formula_weights.h,
// the same in the golden scripts.
#pragma once

#include "nn/formula_weights.h"
#include "vmr/model/ut_cmvmr.h"

namespace vmr::test {

constexpr int64_t kBatch = 4;

// The sizes of the golden; 512 is fixed by the reference's rhythm embedding.
inline model::UtCmvmrOptions small() {
  model::UtCmvmrOptions o;
  o.text_dim = 16;
  o.theta_dim = 8;
  o.rho_dim = 16;
  o.encoder_hidden = 12;
  o.projection_hidden = 10;
  o.encoder.feed_forward = 9;
  o.cross.feed_forward = 11;
  o.loss.margin = 0.05;
  return o;
}

// A model of formula weights, in evaluation mode.
inline std::shared_ptr<model::UtCmvmr> filled(const model::UtCmvmrOptions& options) {
  auto model = std::make_shared<model::UtCmvmr>(options);
  fill_by_formula(*model);
  model->eval();
  return model;
}

inline at::Tensor classes(const std::string& name, double half, int64_t last) {
  return (formula_values(name, {kBatch, 7}) * half + half).floor().to(torch::kLong).clamp(0, last);
}

inline data::FeatureMap music(const std::string& kind, int64_t dim = 512) {
  const auto mask = torch::ones({kBatch, 7}, torch::kBool);
  const auto rhythm =
      torch::stack({classes(kind + "_beats", 9, 17), classes(kind + "_strength", 24, 48),
                    classes(kind + "_interval", 32, 64)},
                   2);
  return {{"conformer_audio", {formula_values(kind + "_music", {kBatch, 7, dim}), mask}},
          {"rhythm", {rhythm, mask}}};
}

inline data::FeatureMap video(const std::string& kind, int64_t dim = 512) {
  const auto mask = torch::ones({kBatch, 7}, torch::kBool);
  return {{"conformer_video", {formula_values(kind + "_video", {kBatch, 7, dim}), mask}},
          {"clip_flow", {classes(kind + "_flow", 32, 64), mask}}};
}

inline data::PairBatch batch(int64_t dim = 512, int64_t text_dim = 16) {
  data::PairBatch b;
  b.music = music("positive", dim);
  b.video = video("positive", dim);
  b.negative_music = music("negative", dim);
  b.negative_video = video("negative", dim);
  b.text = formula_values("text", {kBatch, text_dim});
  b.negative_text = formula_values("negative_text", {kBatch, text_dim});
  b.track_ids = torch::arange(kBatch);
  b.tag_ids = torch::tensor({3, 0, 4, 1}, torch::kLong);
  b.music_ids = {"m0", "m1", "m2", "m3"};
  b.video_ids = {"v0", "v1", "v2", "v3"};
  return b;
}

// The first `clips` clips of every item.
inline data::FeatureMap cut_to(const data::FeatureMap& features, int64_t clips) {
  data::FeatureMap result;
  for (const auto& [name, feature] : features) {
    result[name] = {feature.values.narrow(1, 0, clips), feature.mask.narrow(1, 0, clips)};
  }
  return result;
}

// Item i alone.
inline data::FeatureMap item_of(const data::FeatureMap& features, int64_t i) {
  data::FeatureMap result;
  for (const auto& [name, feature] : features) {
    result[name] = {feature.values.narrow(0, i, 1), feature.mask.narrow(0, i, 1)};
  }
  return result;
}

}  // namespace vmr::test
