// Pins the options of `vmr evaluate`: figures that must agree between protocols, distances, weights
// and variants, and what is said where an option, a run and a store do not go together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "apps/evaluate_store.h"
#include "apps/process.h"
#include "support/temp_folder.h"

namespace vmr {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::run_vmr;
using testing::HasSubstr;
using testing::Not;

class EvaluateCommand : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test::TempFolder;
    test::fill_store(path("store"), 16);
    train("plain", test::small_recipe());
    auto dam = test::small_recipe();
    dam["model"]["tags"] = 3;
    dam["loss"] = {{"tag_softmax", 1}};
    train("dam", dam);
    auto cbvmr = test::small_recipe();
    cbvmr["model"] = json::parse(R"({"kind": "cbvmr", "rhythm_flow": false, "music_hidden": [16],
                                     "video_hidden": [16], "embedding_dim": 8})");
    cbvmr["sampler"]["kind"] = "shuffled";
    train("cbvmr", cbvmr);
  }
  static void TearDownTestSuite() { delete folder_; }
  static void build_index() {
    if (fs::exists(path("index"))) return;
    const auto built = run_vmr({"index", "build", "--run", path("plain"), "--store", path("store"),
                                "--index", path("index"), "--threads", "1"});
    ASSERT_EQ(built.exit_code, 0) << built.error;
  }
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
  EXPECT_THAT(table, HasSubstr("independent embeddings, tag to tag, ORACLE: uses the query's true "
                               "tags (cosine, theta weight 0.6)\n"));
  EXPECT_THAT(table, HasSubstr("DAM: tags of the tag classifier"));
}

TEST_F(EvaluateCommand, SmallRandomGalleriesStandBesideTheFullOne) {
  const std::vector<std::string> options = {"--sampled-negatives", "3", "--repeats", "5"};
  const auto document = evaluated("plain", options).at("sampled_negatives");
  for (const auto* part : {&document, &document.at("joint")}) {
    for (const char* direction : {"video_to_music", "music_to_video"}) {
      EXPECT_EQ(part->at(direction).at("pairs"), 12);
      EXPECT_EQ(part->at(direction).at("gallery"), 4);
      EXPECT_EQ(part->at(direction).at("recall").at("10").at("value"), 1);
    }
  }
  EXPECT_EQ(evaluated("plain", options).at("sampled_negatives"), document);
  const auto ndcg = [](const json& part) { return part.at("video_to_music").at("ndcg").at("10"); };
  EXPECT_NE(ndcg(document.at("joint")), ndcg(document));
  const std::vector<std::vector<std::string>> others = {{"--seed", "7"}, {"--inverse-popularity"}};
  for (const auto& more : others) {
    auto changed = options;
    changed.insert(changed.end(), more.begin(), more.end());
    EXPECT_NE(ndcg(evaluated("plain", changed).at("sampled_negatives")), ndcg(document))
        << more.front();
  }
  EXPECT_THAT(evaluate("plain", options).out,
              HasSubstr("video to music: 12 pairs, each among 3 drawn at random (5 draws"));
}

TEST_F(EvaluateCommand, TablesSayByWhichDistanceAndWeight) {
  const auto own = evaluate("plain", {}).out;
  EXPECT_THAT(own, HasSubstr("independent embeddings, full gallery of split test (cosine, theta "
                             "weight 0.6)\nvideo to music: 12 queries"));
  EXPECT_THAT(own,
              HasSubstr("joint scores, full gallery of split test (cosine, theta weight 0.6)"));
  EXPECT_THAT(evaluate("plain", {"--distance", "l2", "--theta-weight", "0.25"}).out,
              HasSubstr("(l2, theta weight 0.25)\n"));
  EXPECT_THAT(evaluate("cbvmr", {}).out, HasSubstr("full gallery of split test (cosine)\n"));
  EXPECT_THAT(evaluate("plain", {"--compare-variants", "--distance", "l2"}).out,
              HasSubstr("split test (l2, theta weight 0.6)\n"));
}

TEST_F(EvaluateCommand, AProtocolThatARunCannotDoDoesNotCostTheOthers) {
  const auto result = evaluate("plain", {"--protocol", "dam,tag_to_tag"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("tag to tag, ORACLE"));
  EXPECT_THAT(result.error, HasSubstr("failed: protocol dam: the run \"plain\" has no trained"));
  const auto full = evaluate("cbvmr", {"--protocol", "full,video_to_tag,dam", "--json"});
  EXPECT_EQ(full.exit_code, 1);
  const auto failures = full.json().at("failures");
  ASSERT_EQ(failures.size(), 2u);
  EXPECT_EQ(failures[0].at("protocol"), "video_to_tag");
  EXPECT_THAT(failures[1].at("reason").get<std::string>(), HasSubstr("takes no text"));
  EXPECT_FALSE(full.json().contains("protocols"));
  EXPECT_FALSE(evaluated("plain", {"--protocol", "tag_to_tag"}).contains("failures"));
}

TEST_F(EvaluateCommand, WrongOptionsAreSaidBeforeTheItemsAreLoaded) {
  const auto nowhere = evaluate("plain", {"--truth", path("nowhere")});
  EXPECT_EQ(nowhere.exit_code, 3);
  EXPECT_THAT(nowhere.error, HasSubstr(path("nowhere") + " is no generated library"));
  EXPECT_THAT(nowhere.error, Not(HasSubstr("load ")));
  std::ofstream(path("manifest.jsonl")) << R"({"id":"other","kind":"music","split":"test"})"
                                        << "\n";
  const auto other = evaluate("plain", {"--truth", path("")});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.error,
              HasSubstr("knows no film test_film0 of split \"test\": it is not of the"));
  EXPECT_THAT(other.error, Not(HasSubstr("load ")));
  EXPECT_THAT(evaluate("plain", {"--protocol", "dam"}).error, Not(HasSubstr("load ")));
  EXPECT_THAT(evaluate("cbvmr", {"--joint", "gallery_mean"}).error, Not(HasSubstr("load ")));
  EXPECT_THAT(evaluate("plain", {}).error, HasSubstr("load ")) << "or the above proves nothing";
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
      evaluated("plain", {"--compare-variants", "--shortlist", "1,12"}).at("variants");
  ASSERT_EQ(variants.size(), 5u);
  // Both directions, without the times.
  const auto figures = [](const json& part) {
    json both = {part.at("video_to_music"), part.at("music_to_video")};
    for (auto& direction : both) {
      direction.erase("query_ms");
      direction.erase("prepare_ms");
    }
    return both;
  };
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
  EXPECT_THAT(table, HasSubstr("video to music: 12 films ask a gallery of 9 tracks\n"));
  EXPECT_THAT(table, HasSubstr("music to video: 9 tracks ask a gallery of 12 films\n"));
  EXPECT_THAT(table, HasSubstr("median rank  median query, ms  p95 query, ms  prepare, ms\n"));
  EXPECT_THAT(table, HasSubstr("shortlist 4"));
  const auto longer = evaluate("plain", {"--compare-variants", "--shortlist", "10"});
  EXPECT_THAT(longer.error, HasSubstr("a shortlist of 10 is the whole gallery of 9 tracks"));
  EXPECT_THAT(longer.error, Not(HasSubstr("of 12 films")));
  EXPECT_EQ(evaluated("cbvmr", {"--compare-variants"}).at("variants").size(), 1u);
}

TEST_F(EvaluateCommand, RankingsWrittenHaveTheFiguresOfTheEvaluation) {
  for (const std::string name : {"r.json", "r.csv"}) {
    const auto own = evaluated("plain", {"--rankings", path(name), "--ties", "pessimistic"});
    EXPECT_EQ(own.at("video_to_music").at("ties").at("rule"), "pessimistic");
    const auto read = run_vmr({"rankings", path(name), "--k", "1,3", "--json"});
    ASSERT_EQ(read.exit_code, 0) << read.error;
    for (const char* direction : {"video_to_music", "music_to_video"}) {
      const auto part = read.json().at(direction);
      EXPECT_NEAR(part.at("at").at("3").at("hit").get<double>(), recall(own, direction, "3"),
                  1e-12);
      EXPECT_EQ(part.at("median_rank"), own.at(direction).at("median_rank"));
    }
    EXPECT_THAT(run_vmr({"rankings", path(name)}).out, HasSubstr("video_to_music: 12 queries"));
  }
  refused("plain", {"--rankings", path("r.txt")}, "must end in .json or .csv");
  refused("plain", {"--ties", "best"}, "optimistic");
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
  refused("plain", {"--theta-weight", "1.5"},
          "--theta-weight: expected a number from 0 to 1, got 1.5\n");
  refused("plain", {"--theta-weight", "x"},
          "--theta-weight: expected a number from 0 to 1, got x\n");
  refused("plain", {"--theta-weight", "nan"}, "expected a number from 0 to 1, got nan\n");
  refused("plain", {"--compare-variants", "--shortlist", "5,0"},
          "--shortlist: expected a whole number of at least 1, got 0\n");
  refused("plain", {"--compare-variants", "--shortlist", "2.5"},
          "--shortlist: expected a whole number of at least 1, got 2.5\n");
  refused("plain", {"--seed", "-1"}, "--seed: expected a whole number of at least 0, got -1\n");
  refused("plain", {"--threads", "-3"},
          "--threads: expected a whole number from 0 to 4096, got -3\n");
}

TEST_F(EvaluateCommand, AStoreOfOtherFeaturesIsRefused) {
  test::fill_store(path("wide"), 24);
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

TEST_F(EvaluateCommand, MatchTakesTagsInAnyCaseAndShowsWholeTitles) {
  build_index();
  const auto match = [](const std::string& text) {
    return run_vmr({"match", "--text", text, "--index", path("index"), "--top", "18"});
  };
  const auto calm = match("calm");
  EXPECT_EQ(calm.exit_code, 0) << calm.error;
  EXPECT_EQ(match("CALM").out, calm.out);
  EXPECT_NE(match("wild").out, calm.out);
  EXPECT_THAT(calm.out, HasSubstr("Ein längerer Titel, ganz zu lesen, train8 "));
  EXPECT_THAT(calm.out, HasSubstr(" Sechzig Zeichen " + std::string(43, 'x') + "…  "));
  // One column, whatever the bytes of a character are.
  std::istringstream lines(calm.out);
  std::string line;
  std::set<size_t> places;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    size_t place = 0;
    for (const char byte : line.substr(0, line.find("words "))) place += (byte & 0xc0) != 0x80;
    places.insert(place);
  }
  EXPECT_EQ(places.size(), 1u);
}

TEST_F(EvaluateCommand, AFilterOfAFieldThatNoTrackHasIsNamed) {
  build_index();
  const auto match = [](const std::string& filter) {
    return run_vmr({"match", "--text", "calm", "--index", path("index"), "--filter", filter});
  };
  const auto unknown = match("tittle:Titel");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.error,
              HasSubstr("--filter: no track of the catalogue has a field \"tittle\"; did you mean "
                        "\"title\"? (fields: id, "));
  EXPECT_EQ(unknown.out, "");
  const auto empty = match("title=none");
  EXPECT_EQ(empty.exit_code, 3);
  EXPECT_THAT(empty.error, HasSubstr("no track of the catalogue matches the filter"));
  // Absent fields are not nc, but whoever misspells the name is told.
  const auto without = match("license!=nc");
  EXPECT_EQ(without.exit_code, 0);
  EXPECT_THAT(without.error, HasSubstr("warning: --filter: no track of the catalogue has a field"));
  EXPECT_THAT(without.out, HasSubstr("train8"));
  EXPECT_EQ(run_vmr({"index", "list", "--index", path("index"), "--filter", "bpm>100"}).exit_code,
            2);
}

TEST_F(EvaluateCommand, EmbedSaysWhichOfItsTwoInputsIsExpected) {
  const auto embed = [](std::vector<std::string> options) {
    options.insert(options.begin(), {"embed", "--store", path("store")});
    return run_vmr(options);
  };
  EXPECT_THAT(embed({}).error, HasSubstr("either --run or --text-encoder, got neither"));
  EXPECT_THAT(embed({"--run", "x", "--text-encoder", "y"}).error,
              HasSubstr("either --run or --text-encoder, got both"));
  EXPECT_THAT(embed({"--text-encoder", path("nowhere")}).error,
              HasSubstr("there is no folder " + path("nowhere") + "; expected one of sentence-"));
  EXPECT_THAT(embed({"--text-encoder", path("store")}).error,
              HasSubstr("is no folder of sentence-transformers: it has no modules.json"));
}

TEST_F(EvaluateCommand, MatchSaysWhatToDoWithAnArchive) {
  build_index();
  std::ofstream(path("film.zip")) << "PK";
  const auto match = run_vmr({"match", path("film.zip"), "--index", path("index")});
  EXPECT_EQ(match.exit_code, 3);
  EXPECT_THAT(match.error, HasSubstr("film.zip: an archive of pictures"));
  EXPECT_THAT(match.error, HasSubstr("make a film of the pictures"));
  EXPECT_EQ(std::count(match.error.begin(), match.error.end(), '\n'), 1) << match.error;
}

}  // namespace
}  // namespace vmr
