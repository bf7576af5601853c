// Pins results tables: what a spec says, figures and claims from known ranks, and the pages.
#include "vmr/pipeline/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "pipeline/tiny_system.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/pipeline/runs.h"
#include "vmr/synth/library.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

Recipe find(const std::string& name) {
  if (name != "tiny") throw InvalidArgument("no recipe " + name);
  return parse_recipe(test::tiny_recipe(), "tiny.json");
}

json spec() {
  return json::parse(R"({
    "overrides": {"train": {"epochs": 2}},
    "systems": [
      {"system": "UT", "setting": "SE", "recipe": "tiny",
       "overrides": {"model": {"rhythm_flow": false}}},
      {"system": "UT", "setting": "SE&R", "recipe": "tiny"}],
    "comparisons": [["UT SE&R", "UT SE"]]})");
}

TEST(Table, SpecsPatchRecipesAndNameSystems) {
  const auto parsed = parse_table_spec(spec(), "t.json", find);
  ASSERT_EQ(parsed.systems.size(), 2u);
  EXPECT_EQ(parsed.systems[0].name(), "UT SE");
  EXPECT_EQ(parsed.systems[0].recipe.model.at("rhythm_flow"), false);
  EXPECT_EQ(parsed.systems[1].recipe.train.epochs, 2);
  EXPECT_FALSE(parsed.systems[1].recipe.model.contains("rhythm_flow"));
  ASSERT_EQ(parsed.comparisons.size(), 1u);
  EXPECT_EQ(parsed.comparisons[0], (std::pair<size_t, size_t>(1, 0)));
  auto wrong = spec();
  wrong["comparisons"][0][0] = "UT SER";
  EXPECT_THAT([&] { parse_table_spec(wrong, "t.json", find); },
              ThrowsMessage<InvalidArgument>(HasSubstr("no system \"UT SER\"")));
  wrong = spec();
  wrong["systems"][0]["seting"] = "SE";
  EXPECT_THROW(parse_table_spec(wrong, "t.json", find), InvalidArgument);
  const auto refused = [&](const json& changed, const std::string& reason) {
    EXPECT_THAT([&] { parse_table_spec(changed, "t.json", find); },
                ThrowsMessage<InvalidArgument>(HasSubstr(reason)));
  };
  wrong = spec();
  wrong["xyzzyx"] = 1;
  refused(wrong, "known here: overrides, systems, comparisons, name)");
  wrong = spec();
  wrong["systems"][1]["overrides"] = 3;
  refused(wrong, "systems.overrides: expected an object {...}, got 3");
  wrong = spec();
  wrong["systems"] = json::object();
  refused(wrong, "systems: expected a list");
  wrong = spec();
  wrong["systems"][1].erase("recipe");
  refused(wrong, "systems.recipe: expected a recipe's name or file");
}

// root/library and root/store with its features.
void extract_tiny_library(const std::filesystem::path& root) {
  synth::generate_library(root / "library", test::tiny_library(0.5));
  extract(store::read_manifest(root / "library" / "manifest.jsonl"), root / "store",
          find("tiny").extract);
}

TEST(Table, TrainsEverySystemWithEverySeedAndResumes) {
  const test::TempFolder folder;
  const auto root = folder.path();
  extract_tiny_library(root);
  const auto parsed = parse_table_spec(spec(), "t.json", find);
  TableOptions options;
  options.seeds = 2;
  options.resamples = 50;
  options.truth = root / "nowhere";
  EXPECT_THROW(results_table(parsed, root / "store", root / "out", options), StoreError);
  EXPECT_FALSE(std::filesystem::exists(root / "out")) << "it is said before the training";
  options.truth = root / "library";
  const auto table = results_table(parsed, root / "store", root / "out", options);
  ASSERT_EQ(table.at("rows").size(), 4u);
  for (const auto& row : table.at("rows")) {
    EXPECT_EQ(row.at("seeds").size(), 2u);
    const auto& recall = row.at("recall").at("10");
    const double mean = row.at("seeds")[0].get<double>() / 2 + row.at("seeds")[1].get<double>() / 2;
    EXPECT_NEAR(recall.at("mean").get<double>(), mean, 1e-12);
    EXPECT_LE(recall.at("low").get<double>(), mean);
    EXPECT_GE(recall.at("high").get<double>(), mean);
  }
  ASSERT_EQ(table.at("comparisons").size(), 4u);  // two figures in two directions
  // The figures of a single run are those of its evaluation.
  EvaluateOptions evaluation;
  evaluation.resamples = 10;
  const auto one = evaluate(root / "out" / "tiny_SE" / "seed_1", root / "store", evaluation);
  EXPECT_NEAR(one.at("video_to_music").at("recall").at("10").at("value").get<double>(),
              table.at("rows")[0].at("seeds")[0].get<double>(), 1e-12);
  evaluation.truth = root / "library";
  evaluation.resamples = 1000;
  EXPECT_EQ(
      table.at("ceiling"),
      evaluate(root / "out" / "tiny_SE_R" / "seed_2", root / "store", evaluation).at("ceiling"));
  EXPECT_EQ(table.at("left_out"), json::array());
  EXPECT_EQ(table.at("encoders").size(), 2u);
  for (const auto& row : table.at("rows")) {
    EXPECT_EQ(row.at("tied_queries"), (std::vector<int64_t>{0, 0}));
    EXPECT_EQ(row.at("nan_scores"), (std::vector<int64_t>{0, 0}));
  }
  // A second call finds all runs done and says the same.
  auto again = results_table(parsed, root / "store", root / "out", options);
  EXPECT_EQ(again.at("rows"), table.at("rows"));
  EXPECT_EQ(again.at("comparisons"), table.at("comparisons"));
}

TEST(Table, GoesOnWithAnEncoderThatWasStoppedInTheMiddle) {
  const test::TempFolder folder;
  const auto root = folder.path();
  extract_tiny_library(root);
  const auto parsed = parse_table_spec(spec(), "t.json", find);
  TableOptions options;
  options.seeds = 1;
  options.resamples = 50;
  std::stop_source stop;
  RunControl control;
  control.stop = stop.get_token();
  control.on_progress = [&](const Progress& progress) {
    if (progress.stage == "embed film" && progress.done >= 3) stop.request_stop();
  };
  EXPECT_TRUE(results_table(parsed, root / "store", root / "out", options, control).empty());
  const auto films = [&] {
    const auto store = store::FeatureStore::open(root / "store");
    int64_t count = 0;
    for (const auto& key : store->keys()) count += key.feature == "conformer_video";
    return count;
  };
  const int64_t half = films();
  ASSERT_GT(half, 0);
  ASSERT_LT(half, 14);
  // Where the encoder is not at hand, the half that is there is no ground for a comparison.
  EXPECT_THROW(results_table(parsed, root / "store", root / "elsewhere", options), InvalidArgument);
  EXPECT_FALSE(results_table(parsed, root / "store", root / "out", options).empty());
  EXPECT_EQ(films(), 14);
}

TEST(Table, SystemsThatWouldRankDifferentItemsAreRefusedBeforeTraining) {
  const test::TempFolder folder;
  const auto root = folder.path();
  extract_tiny_library(root);
  const auto films = stored_manifest(*store::FeatureStore::open(root / "store")).of("film", "test");
  ASSERT_GE(films.size(), 2u);
  const std::string first = films[0]->id, second = films[1]->id;
  const auto lose = [&](const std::string& feature, const std::string& id) {
    ASSERT_TRUE(store::FeatureStore::open(root / "store", {.writable = true})
                    ->remove({feature, "film", id}));
  };
  auto parsed = parse_table_spec(spec(), "t.json", find);
  TableOptions options;
  options.seeds = 1;
  options.resamples = 50;
  // Only SE&R reads the flow.
  lose("clip_flow", first);
  EXPECT_THAT([&] { results_table(parsed, root / "store", root / "out", options); },
              ThrowsMessage<InvalidArgument>(AllOf(
                  HasSubstr("UT SE and UT SE&R would rank different items: UT SE&R lacks film " +
                            first + " (the store has no feature clip_flow)"),
                  HasSubstr("Extract and embed all of them for every system"))));
  EXPECT_FALSE(std::filesystem::exists(root / "out" / "tiny_SE"));
  // What all lack is left out and said.
  parsed.systems[1].recipe.model["rhythm_flow"] = false;
  lose("conformer_video", second);
  lose("grey_clips", second);
  const auto table = results_table(parsed, root / "store", root / "out", options);
  ASSERT_EQ(table.at("left_out").size(), 1u);
  EXPECT_EQ(table.at("left_out")[0].at("id"), second);
  EXPECT_THAT(table_markdown(table), HasSubstr("Left out by every system: 1, the first " + second +
                                               " (the store has no feature conformer_video)"));
}

TEST(Table, AnEncoderOfAnotherRecipeIsRefused) {
  const test::TempFolder folder;
  const auto root = folder.path();
  extract_tiny_library(root);
  const auto parsed = parse_table_spec(spec(), "t.json", find);
  const auto& recipe = parsed.systems[0].recipe;
  for (const std::string modality : {"audio", "video"}) {
    pretrain(recipe, modality, root / "store", root / modality);
    embed(root / modality, root / "store");
  }
  TableOptions options;
  options.seeds = 1;
  options.resamples = 50;
  const auto refused = [&](const char* key, const json& value, const std::string& reason) {
    auto other = spec();
    other["overrides"]["pretrain"]["audio"][key] = value;
    const auto system = parse_table_spec(other, "t.json", find);
    EXPECT_THAT([&] { results_table(system, root / "store", root / "other", options); },
                ThrowsMessage<InvalidArgument>(HasSubstr("the store's \"conformer_audio\" is of "
                                                         "another encoder than the recipe of UT "
                                                         "SE asks for: " +
                                                         reason)));
  };
  refused("epochs", 3, "epochs 1 instead of 3");
  refused("dim", 32, "dim 16 instead of 32");
  // Of an encoder whose recipe is not known the network is, of bare features their width.
  const auto about = root / "store" / "encoders" / "conformer_audio" / "about.json";
  auto document = read_json_file(about.string());
  ASSERT_EQ(document.erase("pretrain"), 1u);
  std::ofstream(about) << document;
  refused("kernel", 9, "kernel 7 instead of 9");
  std::filesystem::remove_all(about.parent_path());
  refused("dim", 32, "dim 16 instead of 32");
  // The recipe's own goes through, with what is in the store.
  const auto table = results_table(parsed, root / "store", root / "out", options);
  EXPECT_FALSE(std::filesystem::exists(root / "out" / "encoders"));
  EXPECT_EQ(table.at("encoders").at("conformer_audio"), store::FeatureStore::open(root / "store")
                                                            ->provenance("conformer_audio", "music")
                                                            ->fingerprint());
}

TEST(Table, PagesShowFiguresAndWhatWasShown) {
  const auto entry = [](double mean, double chance) {
    return json{{"mean", mean}, {"low", mean - 0.05}, {"high", mean + 0.05}, {"chance", chance}};
  };
  json table = {{"seeds", 5}, {"rows", json::array()}, {"comparisons", json::array()}};
  for (const auto& [setting, mean] : {std::pair{"SE", 0.25}, {"SE&R", 0.4}}) {
    table["rows"].push_back({{"system", "UT"},
                             {"setting", setting},
                             {"direction", "video_to_music"},
                             {"queries", 100},
                             {"gallery", 50},
                             {"recall", {{"10", entry(mean, 0.2)}}},
                             {"mean_log_rank", entry(2.5, 0)}});
  }
  table["comparisons"].push_back({{"better", "UT SE&R"},
                                  {"worse", "UT SE"},
                                  {"direction", "video_to_music"},
                                  {"figure", "recall_10"},
                                  {"difference", 0.15},
                                  {"low", 0.1},
                                  {"high", 0.2},
                                  {"p", 0.001},
                                  {"adjusted_p", 0.004},
                                  {"power", 0.97},
                                  {"holds", true}});
  auto opposite = table["comparisons"][0];
  opposite.update({{"difference", -0.151}, {"low", -0.2}, {"high", -0.1}, {"holds", false}});
  auto open = opposite;
  open["adjusted_p"] = 0.051;
  auto rank = opposite;
  rank.update({{"figure", "mean_log_rank"}, {"adjusted_p", 0.2}});
  for (const auto& claim : {opposite, open, rank}) table["comparisons"].push_back(claim);
  table["ceiling"]["video_to_music"]["recall"]["10"]["value"] = 0.98;
  const auto markdown = table_markdown(table);
  EXPECT_THAT(markdown, HasSubstr("| UT | SE&R | 40.0 [35.0, 45.0] | 2.500 |"));
  EXPECT_THAT(markdown, HasSubstr("| chance | | 20.0 | |"));
  EXPECT_THAT(
      markdown,
      HasSubstr("Recall@10, points | 15.0 [10.0, 20.0] | 0.0010 | 0.0040 | 0.97 | holds |"));
  EXPECT_THAT(markdown, HasSubstr("-15.1 [-20.0, -10.0] | 0.0010 | 0.0040 | 0.97 | reversed |"));
  EXPECT_THAT(markdown, HasSubstr("| 0.0510 | 0.97 | not shown |"));
  EXPECT_THAT(markdown, HasSubstr("mean log rank | -0.151 [-0.200, -0.100] |"));
  const auto page = table_html(table);
  EXPECT_THAT(page, HasSubstr("UT SE&amp;R"));
  EXPECT_THAT(page, HasSubstr("<td>chance</td><td>20.0</td>"));
  EXPECT_THAT(page, HasSubstr("<td>ceiling: the hidden truth</td><td>98.0</td>"));
  EXPECT_THAT(page, HasSubstr("100 queries, gallery 50, 5 seeds averaged"));
  // The longest bar ends at the right edge, whatever room the names take.
  EXPECT_THAT(page, HasSubstr("x2=\"810\""));
  EXPECT_THAT(page, HasSubstr("class=\"word holds\">holds"));
  EXPECT_THAT(markdown + page, Not(HasSubstr("Warning")));
  table["rows"][0].update({{"tie_warning", "7 of 100 queries have ties"}, {"nan_scores", {2, 3}}});
  for (const auto& text : {table_markdown(table), table_html(table)}) {
    EXPECT_THAT(text, HasSubstr("Warning: UT SE: 7 of 100 queries have ties."));
    EXPECT_THAT(text, HasSubstr("Warning: UT SE: 5 scores of all seeds are NaN and rank last."));
  }
}

}  // namespace
}  // namespace vmr::pipeline
