// A results table as papers print it, with what they leave out: every system is trained with
// several seeds, figures carry intervals, and claims of one system being better than another are
// tested with the track as the unit and corrected for their number.
// Runs are kept in the table's folder and resumed; encoders go to the store and are shared.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/pipeline/recipe.h"

namespace vmr::pipeline {

struct TableSystem {
  std::string system;   // "UT-CMVMR"
  std::string setting;  // "SE&R"
  Recipe recipe;
  std::string name() const { return system + " " + setting; }
};

struct TableSpec {
  std::vector<TableSystem> systems;
  // Claims to test: positions of the better and of the worse system.
  std::vector<std::pair<size_t, size_t>> comparisons;
};

// {"systems": [{"system", "setting", "recipe": name, "overrides": {...}}], "overrides": {...},
//  "comparisons": [["better", "worse"], ...]}; overrides are JSON merge patches (RFC 7396) on the
// recipe, the common ones first; comparisons name systems as TableSystem::name(). `find`: the
// recipe of a name. Throws: InvalidArgument for unknown keys and names.
TableSpec parse_table_spec(const nlohmann::json& source, const std::string& file_name,
                           const std::function<Recipe(const std::string&)>& find);

// A claim holds, or its opposite does, where the corrected p is below.
inline constexpr double kClaimLevel = 0.05;

struct TableOptions {
  int64_t seeds = 5;  // 1, 2, ... seeds
  std::string split = "test";
  std::string device = "auto";
  int64_t resamples = 1000;
  std::filesystem::path truth;  // folder of a generated library: the ceiling
};

// Pre-trains the encoders the store lacks, trains and evaluates every system with every seed, all
// under `out`, and returns
//   {"rows": [{"system", "setting", "recipe", "direction", "queries", "gallery",
//              "recall": {"10": {"mean", "low", "high", "chance"}}, "mean_log_rank": {...},
//              "seeds": [recall@10 of each], "tied_queries", "nan_scores": [of each seed],
//              "tie_warning": "" or Ranks::tie_warning() of a seed}],
//    "comparisons": [{"better", "worse", "direction", "figure": "recall_10" | "mean_log_rank",
//                     "difference", "low", "high", "p", "adjusted_p", "power", "holds"}],
//    "encoders": {feature: fingerprint}, "left_out": [{"id", "reason"}] by every system,
//    "ceiling": evaluation document, "seconds": {"encoders", "systems"}}
// difference > 0 speaks for the claim in both figures; adjusted_p is Holm's over the comparisons of
// one figure and direction; holds: difference > 0 and adjusted_p < kClaimLevel; power: how often it
// holds in resamples of the tracks (eval/significance.h).
// Independent embeddings over the full gallery of the split. Empty object where stopped.
// Throws: InvalidArgument, before a system is trained, where systems would read different encoders
// under one name, the store holds another encoder than their recipe asks for, or they would rank
// different items (naming these).
nlohmann::json results_table(const TableSpec& spec, const std::filesystem::path& store,
                             const std::filesystem::path& out, const TableOptions& options = {},
                             const RunControl& control = {});

// The same for people: Markdown, and one self-contained page with interval bars.
std::string table_markdown(const nlohmann::json& table);
std::string table_html(const nlohmann::json& table);

}  // namespace vmr::pipeline
