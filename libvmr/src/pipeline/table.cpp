#include "vmr/pipeline/table.h"

#include <torch/torch.h>

#include <chrono>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "pipeline/table_inputs.h"
#include "pipeline/truth_ceiling.h"
#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"
#include "vmr/data/pair_dataset.h"
#include "vmr/eval/evaluation_document.h"
#include "vmr/eval/significance.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/pipeline/runs.h"
#include "vmr/synth/library.h"
#include "vmr/train/embed_dataset.h"
#include "vmr/train/matching_task.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Values = std::vector<std::vector<double>>;  // [seeds][queries]

constexpr int64_t kComparedRecall = 10;

double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

// What one system did in one direction, for every seed.
struct Direction {
  std::vector<int64_t> clusters;  // the query's track
  int64_t gallery = 0;
  std::map<int64_t, Values> hits;  // by k
  std::map<int64_t, double> chance;
  Values log_ranks;
  std::vector<int64_t> tied_queries, nan_scores;  // by seed
  std::string warning;                            // of the first seed that has ties

  void add(const eval::Ranks& ranks, const std::vector<int64_t>& ks) {
    gallery = ranks.gallery;
    std::vector<double> logs;
    for (size_t i = 0; i < ranks.queries.size(); ++i) logs.push_back(std::log(ranks.rank(i)));
    log_ranks.push_back(std::move(logs));
    tied_queries.push_back(ranks.tied_queries);
    nan_scores.push_back(ranks.nan_scores);
    if (warning.empty()) warning = ranks.tie_warning();
    for (const int64_t k : ks) {
      std::vector<double> values;
      for (size_t i = 0; i < ranks.queries.size(); ++i) values.push_back(ranks.hit(i, k));
      hits[k].push_back(std::move(values));
      chance[k] = eval::chance_hit_rate(ranks, k);
    }
  }
};

struct Results {
  Direction to_music, to_video;
};

const char* const kDirections[] = {"video_to_music", "music_to_video"};

const Direction& direction_of(const Results& results, const std::string& name) {
  return name == kDirections[0] ? results.to_music : results.to_video;
}

// Ranks of a finished run over the full gallery of a split.
void add_run(Results& results, const fs::path& run_folder, const store::FeatureStore& store,
             const store::Manifest& manifest, const TableItems& common, const TableOptions& options,
             const std::vector<int64_t>& ks) {
  const auto run = open_matching_run(run_folder, options.device);
  auto dataset = train::dataset_options(run.model->inputs(), options.split);
  dataset.unused_tracks = true;
  const data::PairDataset items(store, manifest, dataset, {}, {});
  VMR_CHECK(common.films == items.films() && common.tracks == items.tracks(),
            "table: the store's items changed while ", run_folder.string(),
            " was trained; start again when nothing else writes to the store");
  const auto scores = train::embedding_scores(train::embed_films(*run.model, items),
                                              train::embed_music(*run.model, items));
  const auto ranks = eval::rank_both_ways(scores, items.track_of_film());
  results.to_music.clusters = items.track_of_film();
  results.to_music.add(ranks.video_to_music, ks);
  results.to_video.clusters = ranks.asking_tracks;
  results.to_video.add(ranks.music_to_video, ks);
}

std::vector<double> mean_over_seeds(const Values& values) {
  std::vector<double> mean(values.front().size(), 0);
  for (const auto& seed : values) {
    for (size_t i = 0; i < seed.size(); ++i) mean[i] += seed[i] / double(values.size());
  }
  return mean;
}

json or_null(double value) { return std::isnan(value) ? json() : json(value); }

json interval(const Values& values, const std::vector<int64_t>& clusters,
              const TableOptions& options) {
  const auto found = eval::cluster_bootstrap_mean(mean_over_seeds(values), clusters,
                                                  {.resamples = options.resamples});
  return {{"mean", found.value}, {"low", or_null(found.low)}, {"high", or_null(found.high)}};
}

json row_of(const TableSystem& system, const Results& results, const std::string& direction,
            const TableOptions& options) {
  const auto& part = direction_of(results, direction);
  json recall = json::object();
  for (const auto& [k, hits] : part.hits) {
    auto& entry = recall[std::to_string(k)] = interval(hits, part.clusters, options);
    entry["chance"] = part.chance.at(k);
  }
  json seeds = json::array();
  for (const auto& hits : part.hits.at(kComparedRecall)) {
    seeds.push_back(std::accumulate(hits.begin(), hits.end(), 0.0) / double(hits.size()));
  }
  return {{"system", system.system},
          {"setting", system.setting},
          {"recipe", system.recipe.name},
          {"direction", direction},
          {"queries", part.clusters.size()},
          {"gallery", part.gallery},
          {"recall", recall},
          {"mean_log_rank", interval(part.log_ranks, part.clusters, options)},
          {"seeds", seeds},
          {"tied_queries", part.tied_queries},
          {"nan_scores", part.nan_scores},
          {"tie_warning", part.warning}};
}

Values negated(Values values) {
  for (auto& seed : values) {
    for (double& value : seed) value = -value;
  }
  return values;
}

// All claims for one figure and direction: one family.
void compare(const TableSpec& spec, const std::vector<Results>& results,
             const std::string& direction, const std::string& figure, const TableOptions& options,
             json& comparisons) {
  eval::SignificanceOptions significance;
  significance.bootstrap.resamples = options.resamples;
  significance.alpha = kClaimLevel;
  std::vector<eval::PairedComparison> family;
  for (const auto& [better, worse] : spec.comparisons) {
    const auto& a = direction_of(results[better], direction);
    const auto& b = direction_of(results[worse], direction);
    const bool recall = figure == "recall_10";
    family.push_back(eval::compare_systems(
        recall ? a.hits.at(kComparedRecall) : negated(a.log_ranks),
        recall ? b.hits.at(kComparedRecall) : negated(b.log_ranks), a.clusters, significance));
  }
  eval::judge_family(family, significance);
  for (size_t i = 0; i < family.size(); ++i) {
    const auto& found = family[i];
    comparisons.push_back({{"better", spec.systems[spec.comparisons[i].first].name()},
                           {"worse", spec.systems[spec.comparisons[i].second].name()},
                           {"direction", direction},
                           {"figure", figure},
                           {"difference", found.difference.value},
                           {"low", or_null(found.difference.low)},
                           {"high", or_null(found.difference.high)},
                           {"p", found.p_value},
                           {"adjusted_p", found.adjusted_p},
                           {"power", or_null(found.power)},
                           {"holds", found.holds}});
  }
}

std::string folder_name(const TableSystem& system) {
  std::string name;
  for (const char c : system.recipe.name + "_" + system.setting) {
    name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  }
  return name;
}

// A merge patch on a recipe. Asked for always, so that it is among the keys that are known.
json overrides_of(JsonReader& reader) {
  const auto& patch = reader.raw("overrides");
  if (patch.is_null()) return json::object();
  if (!patch.is_object()) reader.fail("overrides", "expected an object {...}, got " + patch.dump());
  return patch;
}

}  // namespace

TableSpec parse_table_spec(const json& source, const std::string& file_name,
                           const std::function<Recipe(const std::string&)>& find) {
  TableSpec spec;
  JsonReader reader(source, file_name);
  const json common = overrides_of(reader);
  const auto& systems = reader.raw("systems");
  if (!systems.is_array() || systems.empty()) {
    reader.fail("systems", "expected a list [{\"system\", \"setting\", \"recipe\"}, ...]");
  }
  for (const auto& entry : systems) {
    JsonReader item(entry, file_name, "systems");
    TableSystem system;
    std::string recipe;
    item.field("system", system.system);
    item.field("setting", system.setting);
    item.field("recipe", recipe);
    const json own = overrides_of(item);
    item.finish();
    if (recipe.empty()) item.fail("recipe", "expected a recipe's name or file");
    json patched = to_json(find(recipe));
    patched.merge_patch(common);
    patched.merge_patch(own);
    system.recipe = parse_recipe(patched, file_name + ": " + recipe);
    spec.systems.push_back(std::move(system));
  }
  const auto& comparisons = reader.raw("comparisons");
  reader.ignore("name");
  reader.finish();
  std::vector<std::string> names;
  for (const auto& system : spec.systems) names.push_back(system.name());
  const auto place = [&](const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      reader.fail("comparisons",
                  "no system \"" + name + "\"; nearest: \"" + nearest_name(name, names) + "\"");
    }
    return static_cast<size_t>(found - names.begin());
  };
  for (const auto& pair : comparisons) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
      reader.fail("comparisons", "expected [\"better\", \"worse\"], got " + pair.dump());
    }
    spec.comparisons.emplace_back(place(pair[0]), place(pair[1]));
  }
  return spec;
}

json results_table(const TableSpec& spec, const fs::path& store_folder, const fs::path& out,
                   const TableOptions& options, const RunControl& control) {
  VMR_CHECK(options.seeds >= 1, "table: seeds must be at least 1, got ", options.seeds);
  if (!options.truth.empty()) {
    // That it is of another library is said before days of training, not after.
    TruthCeiling(options.truth, options.split,
                 stored_manifest(*store::FeatureStore::open(store_folder)));
  }
  const auto begun = std::chrono::steady_clock::now();
  if (!make_encoders(spec, store_folder, out, options, control)) return json::object();
  const double encoder_seconds = seconds_since(begun);
  const auto store = store::FeatureStore::open(store_folder);
  const auto manifest = stored_manifest(*store);
  const auto common = common_items(spec, *store, manifest, options.split, control);
  std::vector<Results> results(spec.systems.size());
  for (size_t i = 0; i < spec.systems.size(); ++i) {
    const auto& system = spec.systems[i];
    std::set<int64_t> ks(system.recipe.evaluate.ks.begin(), system.recipe.evaluate.ks.end());
    ks.insert(kComparedRecall);
    for (int64_t seed = 1; seed <= options.seeds; ++seed) {
      const auto run = out / folder_name(system) / ("seed_" + std::to_string(seed));
      const auto summary = train_matching(system.recipe, store_folder, run,
                                          {static_cast<uint64_t>(seed), options.device}, control);
      if (!summary.finished) return json::object();
      add_run(results[i], run, *store, manifest, common, options, {ks.begin(), ks.end()});
      control.log(LogLevel::info, system.name() + ", seed " + std::to_string(seed) + " of " +
                                      std::to_string(options.seeds));
    }
  }
  json table = {{"rows", json::array()}, {"comparisons", json::array()}};
  for (const char* direction : kDirections) {
    for (size_t i = 0; i < results.size(); ++i) {
      table["rows"].push_back(row_of(spec.systems[i], results[i], direction, options));
    }
    for (const char* figure : {"recall_10", "mean_log_rank"}) {
      compare(spec, results, direction, figure, options, table["comparisons"]);
    }
  }
  table["seeds"] = options.seeds;
  table["split"] = options.split;
  table["encoders"] = encoder_fingerprints(spec, *store);
  table["left_out"] = json::array();
  for (const auto& item : common.left_out) {
    table["left_out"].push_back({{"id", item.id}, {"reason", item.reason}});
  }
  table["seconds"] = {{"encoders", encoder_seconds},
                      {"systems", seconds_since(begun) - encoder_seconds}};
  if (!options.truth.empty()) {
    EvaluateOptions evaluate_options;
    evaluate_options.truth = options.truth;
    evaluate_options.split = options.split;
    evaluate_options.device = options.device;
    evaluate_options.protocols = {Protocol::full};
    const auto run = out / folder_name(spec.systems.front()) / "seed_1";
    table["ceiling"] = evaluate(run, store_folder, evaluate_options).at("ceiling");
  }
  return table;
}

}  // namespace vmr::pipeline
