// Pins ClipEncoder, and that the switch embed_in_training gives the numbers of the published
// extraction, which never leaves training mode: batch statistics of one item's clips, and dropout.
#include "pipeline/clip_encoder.h"

#include "nn/formula_weights.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/recipe.h"
#include "vmr/train/checkpoint.h"

namespace vmr::pipeline {
namespace {

using namespace vmr::test;
using nlohmann::json;

// The Conformer of tests/golden/nn/conformer.json as a run's best checkpoint.
ClipEncoder encoder_in(const TempFolder& folder, bool in_training, double dropout) {
  nn::Conformer net(nn::ConformerOptions(20, 5).dim(16).layers(2).heads(4).kernel(7));
  fill_by_formula(*net);
  json options = {{"input_dim", 20}, {"classes", 5}, {"dim", 16},
                  {"layers", 2},     {"heads", 4},   {"kernel", 7}};
  for (const char* place : {"input", "feed_forward", "attention", "conv"}) {
    options[std::string(place) + "_dropout"] = dropout;
  }
  train::write_checkpoint(folder / "encoder", *net, {{"kind", "conformer"}, {"options", options}});
  std::ofstream(folder / "encoder" / "about.json") << json{{"run", "pretrain"},
                                                           {"input", "fbank"},
                                                           {"output", "conformer_audio"},
                                                           {"modality", "audio"},
                                                           {"embed_in_training", in_training}};
  return ClipEncoder::load(folder / "encoder", torch::kCPU);
}

// An item of three clips; the golden's batch is one item here.
FeatureTrack item() {
  return {formula_values("input", {3, 47, 20}), RowTimes::regular(3, 0, 4, 4), {"fbank"}};
}

TEST(ClipEncoder, GivesTheReferencesEmbeddingInEvaluation) {
  const TempFolder folder;
  const auto encoder = encoder_in(folder, false, 0.5);
  const auto track = encoder.encode(item());
  expect_golden(track.values, golden("nn/conformer.json")["embedding"]);
  EXPECT_EQ(track.times, item().times);
  EXPECT_TRUE(encoder.encode(item()).values.equal(track.values));
}

TEST(ClipEncoder, GivesTheReferencesTrainingEmbeddingWhereTheSwitchIsOn) {
  const TempFolder folder;
  const auto encoder = encoder_in(folder, true, 0);
  const auto expected = golden("nn/conformer.json")["training_embedding"];
  expect_golden(encoder.encode(item()).values, expected);
  // Other items, which move the running averages, do not matter: each has its own statistics.
  auto other = item();
  other.values = other.values * 3;
  encoder.encode(other);
  expect_golden(encoder.encode(item()).values, expected);
  // A clip depends on the item's other clips.
  auto first = item();
  first.values = first.values.narrow(0, 0, 1);
  first.times = RowTimes::regular(1, 0, 4, 4);
  const auto alone = encoder.encode(first).values[0];
  EXPECT_GT((alone - encoder.encode(item()).values[0]).abs().max().item<double>(), 1e-3);
}

TEST(ClipEncoder, DropsOutWhereTheSwitchIsOn) {
  const TempFolder folder;
  const auto encoder = encoder_in(folder, true, 0.5);
  torch::manual_seed(1);
  const auto once = encoder.encode(item()).values;
  EXPECT_FALSE(encoder.encode(item()).values.equal(once));
  torch::manual_seed(1);
  EXPECT_TRUE(encoder.encode(item()).values.equal(once));
}

TEST(ClipEncoder, FeaturesOfTheTwoModesDoNotMix) {
  const TempFolder on, off;
  const Provenance input{"fbank"};
  EXPECT_NE(encoder_in(on, true, 0).provenance(input).fingerprint(),
            encoder_in(off, false, 0).provenance(input).fingerprint());
  // The mode goes along where the encoder is copied.
  encoder_in(on, true, 0).save(on / "copy");
  expect_golden(ClipEncoder::load(on / "copy", torch::kCPU).encode(item()).values,
                golden("nn/conformer.json")["training_embedding"]);
}

TEST(ClipEncoder, TheRecipesSwitchIsOff) {
  EXPECT_FALSE(parse_recipe({{"name", "r"}}, "r.json").reference.embed_in_training);
  EXPECT_TRUE(parse_recipe({{"reference_behaviour", {{"embed_in_training", true}}}}, "r.json")
                  .reference.embed_in_training);
}

}  // namespace
}  // namespace vmr::pipeline
