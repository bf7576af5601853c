// The items of tests/golden/make_baselines.py and what every baseline must do with them.
#pragma once

#include <cmath>

#include "nn/formula_weights.h"
#include "vmr/core/error.h"
#include "vmr/model/clip_inputs.h"
#include "vmr/model/matching_model.h"

namespace vmr::model {

constexpr int64_t kItems = 5, kClips = 4, kMusic = 12, kVideo = 8, kText = 7;
inline const std::vector<int64_t> kCounts = {4, 3, 2, 1, 4};  // real clips

inline void set_small_inputs(ClipInputOptions& o) {
  o.music = "m";
  o.video = "v";
  o.music_dim = kMusic;
  o.video_dim = kVideo;
  o.max_clips = kClips;
  o.rhythm_classes = {5, 6, 7};
  o.flow_classes = 9;
}

inline at::Tensor classes(const std::string& name, int64_t count) {
  const double half = double(count) / 2;
  const auto values = test::formula_values(name, {kItems, kClips}).to(at::kDouble);
  return (values * half + half).floor().to(torch::kLong).clamp(0, count - 1);
}

inline data::FeatureMap masked(data::FeatureMap features) {
  auto mask = torch::zeros({kItems, kClips}, torch::kBool);
  for (int64_t i = 0; i < kItems; ++i) mask[i].narrow(0, 0, kCounts[size_t(i)]).fill_(true);
  for (auto& [name, feature] : features) feature.mask = mask;
  return features;
}

inline data::FeatureMap music() {
  const auto rhythm =
      torch::stack({classes("beats", 5), classes("strength", 6), classes("interval", 7)}, 2);
  return masked({{"m", {test::formula_values("music", {kItems, kClips, kMusic}), {}}},
                 {"rhythm", {rhythm, {}}}});
}

inline data::FeatureMap video() {
  return masked({{"v", {test::formula_values("video", {kItems, kClips, kVideo}), {}}},
                 {"clip_flow", {classes("flow", 9), {}}}});
}

inline data::PairBatch pairs() {
  data::PairBatch batch;
  batch.music = music();
  batch.video = video();
  batch.text = test::formula_values("text", {kItems, kText});
  batch.track_ids = torch::tensor({0, 1, 2, 1, 3}, torch::kLong);
  return batch;
}

// Item i of each feature, without its padding.
inline data::FeatureMap item(const data::FeatureMap& features, int64_t i) {
  data::FeatureMap result;
  for (const auto& [name, feature] : features) {
    result[name] = {feature.values.narrow(0, i, 1).narrow(1, 0, kCounts[size_t(i)]), at::Tensor()};
  }
  return result;
}

inline void expect_terms(const loss::Terms& terms, const nlohmann::json& expected) {
  EXPECT_EQ(terms.values.size(), expected.size());
  for (const auto& [name, value] : terms.values) {
    ASSERT_TRUE(expected.contains(name)) << name;
    const double reference = expected.at(name);
    EXPECT_NEAR(value.item<double>(), reference, 2e-5 * std::abs(reference) + 2e-6) << name;
  }
}

inline double term(const loss::Terms& terms, const std::string& name) {
  for (const auto& [key, value] : terms.values) {
    if (key == name) return value.item<double>();
  }
  ADD_FAILURE() << "no term " << name;
  return 0;
}

// Shape, unit length, padding of any content, batch, clips beyond max_clips, missing features.
inline void expect_embeds_items(MatchingModel& model) {
  model.eval();
  const auto dim = model.embedding_dim();
  const auto m = model.embed_music(music()), v = model.embed_video(video());
  ASSERT_EQ(m.sizes(), (at::IntArrayRef{kItems, 1, dim}));
  ASSERT_EQ(v.sizes(), (at::IntArrayRef{kItems, 1, dim}));
  test::expect_near(m.norm(2, 2), torch::ones({kItems, 1}), 1e-5);
  test::expect_near(v.norm(2, 2), torch::ones({kItems, 1}), 1e-5);
  auto noisy_music = music(), noisy_video = video();
  for (auto* side : {&noisy_music, &noisy_video}) {
    for (auto& [name, feature] : *side) {
      const bool real = feature.values.is_floating_point();
      feature.values.index_put_({feature.mask.logical_not()}, real ? std::nan("") : -1000);
    }
  }
  test::expect_near(model.embed_music(noisy_music), m, 1e-6);
  test::expect_near(model.embed_video(noisy_video), v, 1e-6);
  for (int64_t i = 0; i < kItems; ++i) {
    test::expect_near(model.embed_music(item(music(), i)), m.narrow(0, i, 1), 1e-5);
    test::expect_near(model.embed_video(item(video(), i)), v.narrow(0, i, 1), 1e-5);
  }
  auto longer = item(music(), 0);
  for (auto& [name, feature] : longer) feature.values = feature.values.repeat_interleave(2, 1);
  auto first = longer;
  for (auto& [name, feature] : first) feature.values = feature.values.narrow(1, 0, kClips);
  test::expect_near(model.embed_music(longer), model.embed_music(first), 1e-6);

  auto without = music();
  without.erase("m");
  EXPECT_THROW(model.embed_music(without), InvalidArgument);
  model.train();
  EXPECT_THROW(model.embed_music(music()), InvalidArgument);
  EXPECT_THROW(model.embed_video(video()), InvalidArgument);
  model.eval();
}

// clone(), torch's archive, config(): the same model again, with tensors of its own.
inline void expect_copies(MatchingModel& model) {
  model.eval();
  const auto expected = model.embed_video(video());
  auto copy = std::dynamic_pointer_cast<MatchingModel>(model.clone());
  ASSERT_NE(copy, nullptr);
  EXPECT_FALSE(copy->is_training());
  EXPECT_TRUE(at::equal(copy->embed_video(video()), expected));
  {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : copy->parameters()) parameter.mul_(1.5).add_(0.1);
  }
  EXPECT_TRUE(at::equal(model.embed_video(video()), expected));
  EXPECT_FALSE(at::allclose(copy->embed_video(video()), expected));
  std::stringstream file;
  torch::serialize::OutputArchive out;
  model.save(out);
  out.save_to(file);
  torch::serialize::InputArchive in;
  in.load_from(file);
  copy->load(in);
  EXPECT_TRUE(at::equal(copy->embed_video(video()), expected));

  const auto again = make_matching_model(model.config());
  EXPECT_EQ(again->config(), model.config());
  EXPECT_EQ(test::state_keys(*again), test::state_keys(model));
}

// Every parameter has a finite gradient, and one that is not zero unless its name ends in one of
// `zero`: a bias before a batch norm moves nothing.
inline void expect_gradients(MatchingModel& model, const std::vector<std::string>& zero) {
  model.train();
  model.zero_grad();
  model.loss(pairs()).total().backward();
  for (const auto& parameter : model.named_parameters()) {
    const auto& gradient = parameter.value().grad();
    ASSERT_TRUE(gradient.defined()) << parameter.key();
    EXPECT_TRUE(gradient.isfinite().all().item<bool>()) << parameter.key();
    bool may_vanish = false;
    for (const auto& end : zero) may_vanish |= test::ends_with(parameter.key(), end);
    if (!may_vanish) {
      EXPECT_GT(gradient.abs().max().item<double>(), 0) << parameter.key();
    }
  }
}

inline void expect_refused(const nlohmann::json& config, const std::string& words) {
  try {
    make_matching_model(config);
    ADD_FAILURE() << config;
  } catch (const InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

}  // namespace vmr::model
