// Pins what recipes mean: every shipped one parses and survives a round trip, and wrong ones are
// refused with file, key path and the nearest known key.
#include "vmr/pipeline/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "vmr/core/error.h"
#include "vmr/model/matching_model.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::ThrowsMessage;

auto refused_with(const std::string& text) {
  return ThrowsMessage<InvalidArgument>(HasSubstr(text));
}

auto parsing(const char* text) {
  return [text] { parse_recipe(json::parse(text), "r.json"); };
}

TEST(Recipe, ShippedOnesParseAndSurviveARoundTrip) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(VMR_RECIPES)) {
    const auto recipe = read_recipe(entry.path());
    EXPECT_EQ(recipe.name, entry.path().stem().string());
    const auto written = to_json(recipe);
    EXPECT_EQ(to_json(parse_recipe(written, "again")), written) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 10);
}

TEST(Recipe, ShippedModelsCanBeBuilt) {
  for (const auto& entry : std::filesystem::directory_iterator(VMR_RECIPES)) {
    const auto recipe = read_recipe(entry.path());
    auto config = recipe.model;
    config["loss"] = recipe.loss;
    config["music_dim"] = recipe.pretrain.at("audio").dim;
    config["video_dim"] = recipe.pretrain.at("video").dim;
    const auto model = model::make_matching_model(config);
    EXPECT_EQ(model->inputs().music.front().feature, recipe.pretrain.at("audio").output);
    EXPECT_EQ(model->inputs().video.front().feature, recipe.pretrain.at("video").output);
  }
}

TEST(Recipe, DefaultsAreThePublishedSettings) {
  const auto recipe =
      parse_recipe(json::parse(R"({"pretrain": {"audio": {}, "video": {}}})"), "plain.json");
  EXPECT_EQ(recipe.name, "plain");
  EXPECT_EQ(recipe.extract.rate_hz, 16000);
  EXPECT_EQ(recipe.extract.clip_frames(), 4);
  EXPECT_EQ(recipe.pretrain.at("audio").input, "fbank");
  EXPECT_EQ(recipe.pretrain.at("video").output, "conformer_video");
  EXPECT_DOUBLE_EQ(recipe.pretrain.at("video").input_scale, 1.0 / 255);
  EXPECT_EQ(recipe.train.learning_rate, 3e-4);
}

TEST(Recipe, UnknownKeysNameTheNearestOne) {
  EXPECT_THAT(parsing(R"({"extract": {"audio": {"rate": 8000}}})"),
              refused_with("r.json: extract.audio.rate: unknown key; did you mean \"rate_hz\"?"));
  EXPECT_THAT(parsing(R"({"extract": {"features": {"fbnk": {}}}})"),
              refused_with("did you mean \"fbank\"?"));
  EXPECT_THAT(parsing(R"({"trian": {}})"), refused_with("did you mean \"train\"?"));
}

TEST(Recipe, WrongValuesSayWhatWasExpected) {
  EXPECT_THAT(parsing(R"({"extract": {"audio": {"clip_seconds": -4}}})"),
              refused_with("extract.audio.clip_seconds: expected a positive number, got -4"));
  EXPECT_THAT(parsing(R"({"extract": {"frames": {"size": [224]}}})"),
              refused_with("expected [height, width]"));
  EXPECT_THAT(parsing(R"({"extract": {"features": {"clip_flow": {"method": "raft"}}}})"),
              refused_with("unknown choice \"raft\""));
  EXPECT_THAT(parsing(R"({"extract": {"features": {"cuts": {}}}})"),
              refused_with("needs the feature \"flow\""));
  EXPECT_THAT(parsing(R"({"sampler": {"batch": 1}})"), refused_with("at least 2 films"));
  EXPECT_THAT(parsing(R"({"train": {"epochs": 1.5}})"), refused_with("a whole number, got 1.5"));
  EXPECT_THAT(parsing(R"({"extract": {"audio": {"clip_seconds": 0.5}}})"),
              refused_with("fewer than two frames"));
  EXPECT_THAT(parsing(R"({"evaluate": {"ks": []}})"),
              refused_with("evaluate.ks: expected at least one"));
  EXPECT_THAT(parsing(R"({"evaluate": {"protocol": "tags"}})"),
              refused_with("unknown choice \"tags\""));
}

TEST(Recipe, ReferenceBehaviourReachesTheStages) {
  const auto recipe = parse_recipe(json::parse(R"({
    "extract": {"features": {"grey_clips": {}}},
    "pretrain": {"video": {}},
    "reference_behaviour": {"bilinear_frames": true, "bgr_grey": true, "unscaled_grey": true,
                            "remainder_to_one_tag": true, "positive_as_negative": true}})"),
                                   "r.json");
  EXPECT_EQ(recipe.extract.kernel, video::ResizeKernel::opencv_bilinear);
  EXPECT_TRUE(recipe.extract.bgr_grey);
  EXPECT_EQ(recipe.pretrain.at("video").input_scale, 1);
  EXPECT_EQ(recipe.sampler.remainder, "largest_class");
  EXPECT_TRUE(recipe.reference.positive_as_negative);
  EXPECT_FALSE(recipe.reference.validate_in_training);
  // Written out and read back it is the same, and says so.
  const auto again = parse_recipe(to_json(recipe), "again.json");
  EXPECT_EQ(again.reference, recipe.reference);
  EXPECT_EQ(to_json(again), to_json(recipe));
  const auto plain = parse_recipe(json::object(), "plain.json");
  EXPECT_EQ(plain.reference, data::ReferenceBehaviour());
  EXPECT_THAT(parsing(R"({"reference_behaviour": {"bgr_gray": true}})"),
              refused_with("did you mean \"bgr_grey\"?"));
}

TEST(Recipe, NamesOfMethodsAreBothWays) {
  for (const char* name : {"farneback", "dis_ultrafast", "dis_fast", "dis_medium"}) {
    EXPECT_EQ(to_string(parse_flow_method(name)), name);
  }
  for (const char* name : {"reference", "tracker", "aubio"}) {
    EXPECT_EQ(to_string(parse_beat_method(name)), name);
  }
  EXPECT_THAT([] { parse_beat_method("tracer"); }, refused_with("did you mean \"tracker\"?"));
}

}  // namespace
}  // namespace vmr::pipeline
