// Pins that checkpoints of the published code become runs with the published outputs
// (tests/golden/make_reference_weights.py), and what is said where they do not fit.
#include "vmr/pipeline/reference_weights.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <fstream>

#include "nn/formula_weights.h"
#include "pipeline/clip_encoder.h"
#include "pipeline/manifest_json.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"
#include "vmr/core/version.h"
#include "vmr/pipeline/matcher.h"
#include "vmr/pipeline/runs.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using namespace vmr::test;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::ThrowsMessage;

fs::path weights(const char* name) { return fs::path(VMR_TEST_DATA) / "reference_weights" / name; }

json small_recipe() {
  return json::parse(R"({
    "name": "small",
    "extract": {"features": {"fbank": {"mels": 20}}},
    "pretrain": {"audio": {"dim": 16, "layers": 2, "heads": 4, "kernel": 7}},
    "model": {"kind": "ut_cmvmr"}, "evaluate": {"ks": [1, 2]}})");
}

Recipe recipe(const json& changes = json::object()) {
  auto document = small_recipe();
  document.merge_patch(changes);
  return parse_recipe(document, "small.json");
}

FeatureTrack track(const at::Tensor& values, const std::string& extractor) {
  return {values, RowTimes::regular(values.size(0), 0, 4, 4), {extractor, "1", "{}", "", ""}};
}

TEST(ReferenceWeights, AConformerGivesThePublishedEmbedding) {
  TempFolder folder;
  const auto expected = golden("reference_weights/expected.json").at("conformer").at("embedding");
  for (const char* name : {"conformer.pth", "conformer_training.pth"}) {
    const auto run = folder / name;
    const auto imported = import_conformer(weights(name), "audio", recipe(), run);
    const bool whole = std::string(name) == "conformer.pth";
    EXPECT_EQ(imported.key, whole ? "" : "state_dict");
    EXPECT_EQ(imported.prefix, whole ? "" : "module.");
    EXPECT_EQ(imported.left_out.size(), 2u) << "the position tables";
    EXPECT_EQ(imported.made_up.size(), whole ? 0u : 1u) << "the classification head";
    const auto encoder = ClipEncoder::load_run(run, at::kCPU);
    EXPECT_EQ(encoder.output(), "conformer_audio");
    EXPECT_EQ(encoder.weights_hash(), imported.weights_hash);
    const auto clips = encoder.encode(track(formula_values("input", {3, 47, 20}), "fbank"));
    expect_golden(clips.values, expected);
    std::ifstream about(run / "about.json");
    EXPECT_EQ(json::parse(about).at("imported").at("file"), name);
  }
}

TEST(ReferenceWeights, AConformerForPicturesToo) {
  const auto video = recipe({{"extract",
                              {{"audio", {{"clip_seconds", 1}}},
                               {"frames", {{"fps", 2}, {"size", {16, 16}}}},
                               {"features", {{"grey_clips", json::object()}}}}},
                             {"pretrain",
                              {{"video",
                                {{"dim", 16},
                                 {"layers", 1},
                                 {"heads", 4},
                                 {"kernel", 7},
                                 {"positions", "ut_cmvmr"},
                                 {"scale_by", "model"},
                                 {"input_scale", 1}}}}}});
  TempFolder folder;
  import_conformer(weights("conformer_video.pth"), "video", video, folder / "run");
  const auto encoder = ClipEncoder::load_run(folder / "run", at::kCPU);
  EXPECT_EQ(encoder.output(), "conformer_video");
  EXPECT_EQ(encoder.input(), "grey_clips");
  const auto clips = encoder.encode(track(formula_values("pictures", {3, 16, 32}), "grey_clips"));
  expect_golden(clips.values,
                golden("reference_weights/expected.json").at("conformer_video").at("embedding"));
}

TEST(ReferenceWeights, TheMatchingNetworkGivesThePublishedScores) {
  TempFolder folder;
  const auto imported = import_ut_cmvmr(weights("ut_cmvmr.pth"), recipe(), folder / "run");
  EXPECT_THAT(imported.made_up, testing::ElementsAre("null_music", "null_video"));
  for (const auto& name : imported.left_out) {
    EXPECT_TRUE(name.ends_with("pe") || name.starts_with("damsoftmax_loss.") ||
                name.starts_with("adv_loss.") || name.starts_with("ce_match_loss.bn"))
        << name;
  }
  const auto run = open_matching_run(folder / "run");
  EXPECT_EQ(run.weights_hash, imported.weights_hash);
  EXPECT_EQ(run.recipe.model.at("encoder").at("feed_forward"), 9) << "from the shapes";
  const auto mask = at::ones({4, 7}, at::kBool);
  const data::FeatureMap music = {{"conformer_audio", {formula_values("music", {4, 7, 16}), mask}}};
  const data::FeatureMap film = {{"conformer_video", {formula_values("film", {4, 7, 12}), mask}}};
  expect_golden(*run.model->score_pairs(film, music),
                golden("reference_weights/expected.json").at("ut_cmvmr").at("scores"));
}

TEST(ReferenceWeights, HeadsThatTheRecipeUsesAreTaken) {
  TempFolder folder;
  const auto used = recipe({{"model", {{"tags", 5}}}, {"loss", {{"adversarial", 0.1}}}});
  const auto imported = import_ut_cmvmr(weights("ut_cmvmr.pth"), used, folder / "run");
  const auto run = open_matching_run(folder / "run");
  const auto state = run.model->named_parameters();
  EXPECT_TRUE(state["damsoftmax_loss.W1"].equal(
      formula_values("damsoftmax_loss.W1", {4, 8}, 1.5 / std::sqrt(8.0))));
  EXPECT_TRUE(state.contains("adv_loss.discriminator.0.weight"));
  for (const auto& name : imported.left_out) EXPECT_FALSE(name.starts_with("adv_loss.")) << name;
}

// Four films, each with a track and a tag of its own.
void fill_store(const fs::path& folder) {
  store::Manifest manifest;
  const auto store = store::FeatureStore::open(folder, {.writable = true});
  for (const std::string i : {"0", "1", "2", "3"}) {
    manifest.items.push_back({"m" + i, "music", "", "", {"tag " + i}, "test", {}});
    manifest.items.push_back({"f" + i, "film", "", "m" + i, {"tag " + i}, "test", {}});
    store->put(
        {{{"fbank", "music", "m" + i}, track(formula_values("m" + i, {3, 47, 20}), "fbank")}});
    store->put({{{"conformer_video", "film", "f" + i},
                 track(formula_values("f" + i, {2, 12}), "conformer_video")}});
  }
  store->put_note("manifest", manifest_to_json(manifest).dump());
}

TEST(ReferenceWeights, ImportedRunsEmbedAndEvaluate) {
  if (build_info().find("LMDB yes") == std::string::npos) GTEST_SKIP() << "no LMDB";
  TempFolder folder;
  fill_store(folder / "store");
  import_conformer(weights("conformer.pth"), "audio", recipe(), folder / "audio");
  EXPECT_EQ(embed(folder / "audio", folder / "store").items, 4);
  import_ut_cmvmr(weights("ut_cmvmr.pth"), recipe(), folder / "run");
  const auto document = evaluate(folder / "run", folder / "store", {.resamples = 10});
  EXPECT_EQ(document.at("video_to_music").at("gallery"), 4);
  EXPECT_TRUE(document.contains("joint"));
  EXPECT_EQ(embed(folder / "run", folder / "store").items, 8);
  std::string said;
  RunControl control;
  control.on_log = [&](LogLevel, const std::string& message) { said += message; };
  {
    const auto store = store::FeatureStore::open(folder / "store", {.writable = true});
    store->put_note("extract_recipe", R"({"features": {"fbank": {}}})");
  }
  build_index(folder / "run", folder / "store", folder / "index", {}, control);
  EXPECT_THAT(said, HasSubstr("never embedded an item alone"));
}

TEST(ReferenceWeights, ImportedRunsReadTheTagsOfTheStore) {
  if (build_info().find("LMDB yes") == std::string::npos) GTEST_SKIP() << "no LMDB";
  TempFolder folder;
  fill_store(folder / "store");
  const auto used = recipe({{"model", {{"tags", 5}}}, {"loss", {{"tag_softmax", 1}}}});
  import_conformer(weights("conformer.pth"), "audio", used, folder / "audio");
  embed(folder / "audio", folder / "store");
  import_ut_cmvmr(weights("ut_cmvmr.pth"), used, folder / "run");
  const auto by = [&](Protocol protocol) {
    return evaluate(folder / "run", folder / "store", {.resamples = 10, .protocols = {protocol}})
        .at("protocols")
        .at(name_of(protocol));
  };
  EXPECT_THAT([&] { by(Protocol::tag_to_tag); },
              ThrowsMessage<InvalidArgument>(HasSubstr("--text-encoder")));
  {
    const auto store = store::FeatureStore::open(folder / "store", {.writable = true});
    const auto axes = at::eye(8);
    for (int64_t i = 0; i < 4; ++i) {
      const auto tag = "tag " + std::to_string(i);
      store->put({{{"tag_vector", "tag", tag}, track(axes.narrow(0, i, 1), "tag_vector")}});
    }
  }
  // The query's own tag is the nearest and has one track: the oracle finds every pair.
  const auto oracle = by(Protocol::tag_to_tag);
  EXPECT_EQ(oracle.at("oracle"), true);
  for (const char* direction : {"video_to_music", "music_to_video"}) {
    EXPECT_EQ(oracle.at(direction).at("mean_rank"), 1) << direction;
  }
  EXPECT_EQ(by(Protocol::video_to_tag).at("oracle"), false);
  EXPECT_THAT([&] { by(Protocol::dam); }, ThrowsMessage<InvalidArgument>(HasSubstr("which class")));
}

TEST(ReferenceWeights, SaysAllThatDoesNotFitAndWhatWould) {
  TempFolder folder;
  const auto conformer = [&](const json& audio) {
    return [&, audio] {
      import_conformer(weights("conformer.pth"), "audio",
                       recipe({{"pretrain", {{"audio", audio}}}}), folder / "run");
    };
  };
  EXPECT_THAT(conformer({{"layers", 3}}),
              ThrowsMessage<InvalidArgument>(
                  AllOf(HasSubstr("missing:\n    encoder.layers.2.sequential.0"),
                        HasSubstr("pretrain.audio.layers: 2 (now 3)"), Not(HasSubstr("unexpected")),
                        Not(HasSubstr("pretrain.audio.dim")))));
  EXPECT_THAT(conformer({{"layers", 1}}),
              ThrowsMessage<InvalidArgument>(AllOf(HasSubstr("unexpected:\n    encoder.layers.1."),
                                                   Not(HasSubstr("missing")))));
  EXPECT_THAT(
      conformer({{"dim", 32}, {"heads", 8}, {"kernel", 9}, {"feed_forward_expansion", 2}}),
      ThrowsMessage<InvalidArgument>(AllOf(
          HasSubstr("input_projection.0.bias: expected [32], came [16]"),
          HasSubstr("pretrain.audio.dim: 16 (now 32)"), HasSubstr("audio.heads: 4 (now 8)"),
          HasSubstr("audio.kernel: 7 (now 9)"), HasSubstr("feed_forward_expansion: 4 (now 2)"))));
  EXPECT_THAT(
      [&] {
        import_conformer(
            weights("conformer.pth"), "audio",
            recipe(json::parse(R"({"extract": {"features": {"fbank": {"mels": 40}}}})")),
            folder / "run");
      },
      ThrowsMessage<InvalidArgument>(HasSubstr("fbank.mels or extract.frames.size): 4 (now 9)")));
  const auto matching = [&](const json& model) {
    return [&, model] {
      import_ut_cmvmr(weights("ut_cmvmr.pth"), recipe({{"model", model}}), folder / "run");
    };
  };
  EXPECT_THAT(matching({{"music_dim", 20}}),
              ThrowsMessage<InvalidArgument>(AllOf(HasSubstr("A_enc_former.layers.0.0.norm.weight: "
                                                             "expected [20], came [16]"),
                                                   HasSubstr("model.music_dim: 16 (now 20)"))));
  EXPECT_THAT(
      matching({{"rhythm_flow", true}}),
      ThrowsMessage<InvalidArgument>(AllOf(HasSubstr("A_rhythm_embed.n_beat_embed.weight"),
                                           HasSubstr("rhythm_flow (0 = false): 0 (now 1)"))));
  EXPECT_THAT(matching({{"cross", {{"heads", 2}}}}),
              ThrowsMessage<InvalidArgument>(
                  AllOf(HasSubstr("to_qkv.weight: expected [600, 8]"),
                        HasSubstr("model.cross.heads x head_width: 300 (now 200)"))));
  EXPECT_THAT([&] { import_ut_cmvmr(weights("conformer.pth"), recipe(), folder / "run"); },
              ThrowsMessage<InvalidArgument>(HasSubstr("A_enc.net.0.weight")));
  EXPECT_FALSE(fs::exists(folder / "run")) << "nothing is written then";
}

TEST(ReferenceWeights, KeepsWhatIsThere) {
  TempFolder folder;
  fs::create_directories(folder / "run");
  std::ofstream(folder / "run" / "mine.txt") << "x";
  EXPECT_THAT([&] { import_ut_cmvmr(weights("ut_cmvmr.pth"), recipe(), folder / "run"); },
              ThrowsMessage<InvalidArgument>(HasSubstr("new or empty")));
  EXPECT_TRUE(fs::exists(folder / "run" / "mine.txt"));
  EXPECT_THAT([&] { import_conformer(weights("conformer.pth"), "video", recipe(), folder / "v"); },
              ThrowsMessage<InvalidArgument>(HasSubstr("has no pretrain.video")));
  EXPECT_THAT([&] { import_conformer(weights("none.pth"), "audio", recipe(), folder / "v"); },
              ThrowsMessage<StoreError>(HasSubstr("none.pth")));
}

}  // namespace
}  // namespace vmr::pipeline
