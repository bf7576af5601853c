// Pins the options of `vmr evaluate`: figures that must agree between protocols, distances, weights
// and variants, and what is said where an option, a run and a store do not go together. The store
// is filled with random features: no media.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "apps/process.h"
#include "pipeline/manifest_json.h"
#include "support/temp_folder.h"
#include "vmr/store/feature_store.h"

namespace vmr {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::run_vmr;
using testing::HasSubstr;

const std::vector<std::string> kTags = {"angry", "calm", "wild"};

// Nine tracks a split, three of each tag; twelve films with the tags of their tracks.
store::Manifest manifest() {
  store::Manifest result;
  for (const std::string split : {"train", "test"}) {
    for (int i = 0; i < 9; ++i) {
      const auto id = split + std::to_string(i);
      result.items.push_back({id, "music", "", "", {kTags[size_t(i % 3)]}, split, {}});
    }
    for (int i = 0; i < 12; ++i) {
      const auto track = split + std::to_string(i % 9);
      result.items.push_back({split + "_film" + std::to_string(i),
                              "film",
                              "",
                              track,
                              {kTags[size_t(i % 3)]},
                              split,
                              {}});
    }
  }
  return result;
}

void fill_store(const fs::path& folder, int64_t audio_dim) {
  const auto store = store::FeatureStore::open(folder, {.writable = true});
  const auto items = manifest();
  store->put_note("manifest", pipeline::manifest_to_json(items).dump());
  store->put_note("extract_recipe", R"({"features": {"grey_clips": {}}})");
  at::manual_seed(5);
  for (const auto& item : items.items) {
    const bool film = item.kind == "film";
    const std::string feature = film ? "conformer_video" : "conformer_audio";
    const auto values = at::randn({3, film ? 16 : audio_dim});
    store->put({{{feature, item.kind, item.id},
                 {values, RowTimes::regular(3, 0, 4, 4), {feature, "1", "{}", "0123", ""}}}});
  }
}

json recipe() {
  return json::parse(R"({
    "extract": {"features": {"fbank": {}}},
    "model": {"kind": "ut_cmvmr", "rhythm_flow": false, "theta_dim": 8, "rho_dim": 16,
      "text_dim": 16, "encoder_hidden": 16, "projection_hidden": 16,
      "encoder": {"heads": 2, "head_width": 4, "feed_forward": 16},
      "cross": {"heads": 2, "head_width": 4, "feed_forward": 16}},
    "sampler": {"batch": 8}, "train": {"epochs": 2, "learning_rate": 1e-3},
    "evaluate": {"ks": [1, 3, 4]}})");
}

class EvaluateCommand : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test::TempFolder;
    fill_store(path("store"), 16);
    train("plain", recipe());
    auto dam = recipe();
    dam["model"]["tags"] = 3;
    dam["loss"] = {{"tag_softmax", 1}};
    train("dam", dam);
    auto cbvmr = recipe();
    cbvmr["model"] = json::parse(R"({"kind": "cbvmr", "rhythm_flow": false, "music_hidden": [16],
                                     "video_hidden": [16], "embedding_dim": 8})");
    cbvmr["sampler"]["kind"] = "shuffled";
    train("cbvmr", cbvmr);
  }
  static void TearDownTestSuite() { delete folder_; }
  static void train(const std::string& name, const json& recipe) {
    std::ofstream(path(name + ".json")) << recipe;
    const auto trained = run_vmr({"train", "--recipe", path(name + ".json"), "--store",
                                  path("store"), "--out", path(name), "--threads", "1"});
    ASSERT_EQ(trained.exit_code, 0) << trained.error;
  }
  static std::string path(const std::string& name) { return (*folder_ / name).string(); }

  static test::ProcessResult evaluate(const std::string& run, std::vector<std::string> options,
                                      const std::string& store = "store") {
    options.insert(options.begin(),
                   {"evaluate", "--run", path(run), "--store", path(store), "--threads", "1"});
    return run_vmr(options);
  }
  static json evaluated(const std::string& run, std::vector<std::string> options) {
    options.push_back("--json");
    const auto result = evaluate(run, options);
    EXPECT_EQ(result.exit_code, 0) << result.error;
    return result.exit_code == 0 ? result.json() : json();
  }
  static void refused(const std::string& run, const std::vector<std::string>& options,
                      const std::string& reason, const std::string& store = "store") {
    const auto result = evaluate(run, options, store);
    EXPECT_EQ(result.exit_code, 2) << result.error;
    EXPECT_THAT(result.error, HasSubstr(reason));
    EXPECT_EQ(result.out, "");
  }
  static test::TempFolder* folder_;
};
test::TempFolder* EvaluateCommand::folder_ = nullptr;

double recall(const json& document, const char* direction, const char* k) {
  return document.at(direction).at("recall").at(k).at("value");
}

double mean_rank(const json& document) { return document.at("video_to_music").at("mean_rank"); }

TEST_F(EvaluateCommand, ProtocolsStandBesideTheFullGallery) {
  const auto document = evaluated("dam", {"--protocol", "tag_to_tag,video_to_tag,dam"});
  EXPECT_EQ(document.at("video_to_music").at("queries"), 12);
  EXPECT_EQ(document.at("video_to_music").at("gallery"), 9);
  const auto& protocols = document.at("protocols");
  ASSERT_EQ(protocols.size(), 3u);
  // Three of the nine tracks and four of the twelve films have the query's tag: the oracle ranks
  // these first.
  const auto& oracle = protocols.at("tag_to_tag");
  for (const auto* part : {&oracle, &oracle.at("joint")}) {
    EXPECT_EQ(recall(*part, "video_to_music", "3"), 1);
    EXPECT_EQ(recall(*part, "music_to_video", "4"), 1);
  }
  EXPECT_LT(recall(document, "video_to_music", "3"), 1);
  EXPECT_LT(recall(document, "music_to_video", "4"), 1);
  for (const auto& [name, part] : protocols.items()) {
    EXPECT_EQ(part.at("oracle").get<bool>(), name == "tag_to_tag");
    EXPECT_NE(mean_rank(part), mean_rank(document)) << name;
    EXPECT_TRUE(part.contains("joint")) << name;
  }
  EXPECT_FALSE(evaluated("dam", {"--protocol", "full"}).contains("protocols"));
  const auto table = evaluate("dam", {"--protocol", "dam,tag_to_tag"}).out;
  EXPECT_THAT(table, HasSubstr("tag->tag, ORACLE: uses the query's true tags"));
  EXPECT_THAT(table, HasSubstr("DAM: tags of the tag classifier"));
}

TEST_F(EvaluateCommand, OnePartRanksTheSameByBothDistances) {
  std::vector<double> ranks;
  for (const std::string weight : {"0", "1", "0.5"}) {
    const auto cosine = evaluated("plain", {"--theta-weight", weight});
    const auto l2 = evaluated("plain", {"--theta-weight", weight, "--distance", "l2"});
    EXPECT_EQ(cosine.at("distance"), "cosine");
    EXPECT_EQ(l2.at("distance"), "l2");
    EXPECT_EQ(l2.at("theta_weight").get<double>(), std::stod(weight));
    if (weight != "0.5") {
      // Unit vectors of theta alone or rho alone; both parts weighed differently by each.
      EXPECT_EQ(cosine.at("video_to_music"), l2.at("video_to_music")) << weight;
      EXPECT_EQ(cosine.at("joint").at("music_to_video"), l2.at("joint").at("music_to_video"));
    }
    ranks.push_back(mean_rank(cosine));
  }
  EXPECT_NE(ranks[0], ranks[1]);
  EXPECT_EQ(evaluated("plain", {}).at("theta_weight"), 0.6);  // the run's own
}

TEST_F(EvaluateCommand, VariantsAgreeWithTheEvaluation) {
  const auto own = evaluated("plain", {});
  const auto mean = evaluated("plain", {"--joint", "gallery_mean"});
  EXPECT_EQ(own.at("joint").at("scoring"), "own");
  EXPECT_EQ(mean.at("joint").at("scoring"), "gallery_mean");
  const auto variants =
      evaluated("plain", {"--compare-variants", "--shortlist", "1,9"}).at("variants");
  ASSERT_EQ(variants.size(), 5u);
  const auto figures = [](const json& part) { return part.at("video_to_music"); };
  EXPECT_EQ(variants[0].at("name"), "independent");
  EXPECT_EQ(figures(variants[0]), figures(own));
  EXPECT_EQ(variants[1].at("name"), "pairwise_mean");
  EXPECT_EQ(figures(variants[1]), figures(mean.at("joint")));
  EXPECT_EQ(variants[2].at("name"), "pairwise");
  EXPECT_EQ(figures(variants[2]), figures(own.at("joint")));
  // The best one ranked anew is where it was; the whole gallery ranked anew is pairwise.
  EXPECT_EQ(variants[3].at("shortlist"), 1);
  EXPECT_EQ(figures(variants[3]), figures(own));
  EXPECT_EQ(figures(variants[4]), figures(own.at("joint")));
  EXPECT_NE(figures(own), figures(own.at("joint"))) << "or the above would hold by accident";
  const auto table = evaluate("plain", {"--compare-variants", "--shortlist", "4"}).out;
  EXPECT_THAT(table, HasSubstr("12 films ask a gallery of 9; threads 1"));
  EXPECT_THAT(table, HasSubstr("shortlist 4"));
  EXPECT_EQ(evaluated("cbvmr", {"--compare-variants"}).at("variants").size(), 1u);
}

TEST_F(EvaluateCommand, SaysWhatARunDoesNotHave) {
  refused("plain", {"--protocol", "dam"}, "no trained tag classifier; train with model.tags");
  refused("cbvmr", {"--protocol", "video_to_tag"}, "knows no tags: its cbvmr model takes no text");
  refused("cbvmr", {"--theta-weight", "0.5"}, "a cbvmr model compares in one space");
  refused("cbvmr", {"--joint", "gallery_mean"}, "a cbvmr model has no joint scores");
  refused("cbvmr", {"--compare-variants", "--shortlist", "3"},
          "a cbvmr model has no joint scores to rank a shortlist by");
}

TEST_F(EvaluateCommand, SaysWhichOptionsDoNotGoTogether) {
  refused("plain", {"--shortlist", "3"}, "--shortlist requires --compare-variants");
  refused("plain", {"--compare-variants", "--protocol", "dam"},
          "--protocol excludes --compare-variants");
  refused("plain", {"--compare-variants", "--joint", "own"}, "--joint excludes --compare-variants");
  refused("plain", {"--protocol", "video_to_tags"}, "video_to_tag");
  refused("plain", {"--distance", "l1"}, "l2");
  refused("plain", {"--theta-weight", "1.5"}, "--theta-weight: Value 1.5 not in range");
  refused("plain", {"--compare-variants", "--shortlist", "0"}, "--shortlist");
}

TEST_F(EvaluateCommand, AStoreOfOtherFeaturesIsRefused) {
  fill_store(path("wide"), 24);
  const std::string reason =
      "the run \"plain\" reads \"conformer_audio\" in rows of shape [16], "
      "those of " +
      path("wide") + " are [24]; fill a store with the";
  refused("plain", {}, reason, "wide");
  const auto embed =
      run_vmr({"embed", "--run", path("plain"), "--store", path("wide"), "--threads", "1"});
  EXPECT_EQ(embed.exit_code, 2);
  EXPECT_THAT(embed.error, HasSubstr(reason));
  // Imported weights know of no store, but of what they read.
  std::ofstream(path("published.json")) << R"({"model": {"kind": "ut_cmvmr"}})";
  const auto converted =
      run_vmr({"convert", "--as", "ut_cmvmr",
               (fs::path(VMR_TEST_DATA) / "reference_weights" / "ut_cmvmr.pth").string(),
               path("published"), "--recipe", path("published.json")});
  ASSERT_EQ(converted.exit_code, 0) << converted.error;
  refused("published", {}, "reads \"conformer_video\" in rows of shape [12]");
}

TEST_F(EvaluateCommand, MatchSaysWhatToDoWithAnArchive) {
  const auto built = run_vmr({"index", "build", "--run", path("plain"), "--store", path("store"),
                              "--index", path("index"), "--threads", "1"});
  ASSERT_EQ(built.exit_code, 0) << built.error;
  std::ofstream(path("film.zip")) << "PK";
  const auto match = run_vmr({"match", path("film.zip"), "--index", path("index")});
  EXPECT_EQ(match.exit_code, 3);
  EXPECT_THAT(match.error, HasSubstr("film.zip: an archive of pictures"));
  EXPECT_THAT(match.error, HasSubstr("make a film of the pictures"));
  EXPECT_EQ(std::count(match.error.begin(), match.error.end(), '\n'), 1) << match.error;
}

}  // namespace
}  // namespace vmr
