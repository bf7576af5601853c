#include "pipeline/table_inputs.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "pipeline/clip_encoder.h"
#include "vmr/core/error.h"
#include "vmr/data/pair_dataset.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/pipeline/runs.h"
#include "vmr/train/matching_task.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const char* kind_of(const std::string& modality) { return modality == "audio" ? "music" : "film"; }

// Systems compared on different items would say nothing of each other.
void require_embedded(const store::FeatureStore& store, const PretrainRecipe& part,
                      const std::string& kind) {
  int64_t missing = 0;
  std::string first;
  const auto manifest = stored_manifest(store);
  for (const auto* item : manifest.of(kind)) {
    const bool lacks = store.contains({part.input, kind, item->id}) &&
                       !store.contains({part.output, kind, item->id});
    if (lacks && missing++ == 0) first = item->id;
  }
  VMR_CHECK(missing == 0, "table: the store has no ", part.output, " for ", missing,
            " of its items (the first: ", first,
            "); run the vmr embed that made it again, or remove the feature");
}

// What is known of the encoder that made the store's features: its recipe where the store keeps it,
// of an older or imported one the network, of features that came from elsewhere their width.
json made_by(const fs::path& store_folder, const store::FeatureStore& store,
             const std::string& output, const std::string& kind) {
  const auto folder = store_folder / "encoders" / output;
  if (fs::exists(folder / "about.json")) return encoder_recipe(folder);
  const auto keys = store.keys(output, kind);
  return {{"dim", store.find(keys.front())->values.size(-1)}};
}

void require_recipe(const TableSystem& system, const std::string& modality,
                    const fs::path& store_folder, const store::FeatureStore& store) {
  const auto& output = system.recipe.pretrain.at(modality).output;
  const json wanted = to_json(system.recipe).at("pretrain").at(modality);
  const json made = made_by(store_folder, store, output, kind_of(modality));
  std::string differences;
  for (const auto& [key, value] : made.items()) {
    if (!wanted.contains(key) || wanted.at(key) == value) continue;
    differences += (differences.empty() ? "" : ", ") + key + " " + value.dump() + " instead of " +
                   wanted.at(key).dump();
  }
  VMR_CHECK(differences.empty(), "table: the store's \"", output,
            "\" is of another encoder than the recipe of ", system.name(),
            " asks for: ", differences,
            "; use another store, or remove the feature with `vmr store remove`");
}

// The ranked items of a system and why it leaves others out.
struct Ranked {
  std::string system;
  TableItems items;
};

Ranked ranked_by(const TableSystem& system, const store::FeatureStore& store,
                 const store::Manifest& manifest, const std::string& split,
                 const RunControl& control) {
  auto dataset = train::dataset_options(model::matching_model_inputs(system.recipe.model), split);
  dataset.unused_tracks = true;
  const data::PairDataset items(store, manifest, dataset, {}, control);
  return {system.name(), {items.films(), items.tracks(), items.missing()}};
}

// "film a (its reason), track b (...) and 3 more": what `other` ranks and `one` does not.
std::string lacking(const Ranked& one, const Ranked& other) {
  std::string text;
  int64_t count = 0;
  constexpr int64_t kNamed = 5;
  const auto add = [&](const char* kind, const std::vector<std::string>& own,
                       const std::vector<std::string>& theirs) {
    const std::set<std::string> there(own.begin(), own.end());
    for (const auto& id : theirs) {
      if (there.count(id) > 0 || ++count > kNamed) continue;
      const auto& missing = one.items.left_out;
      const auto found = std::find_if(missing.begin(), missing.end(),
                                      [&](const auto& failure) { return failure.id == id; });
      text += (text.empty() ? "" : ", ") + std::string(kind) + " " + id;
      if (found != missing.end()) text += " (" + found->reason + ")";
    }
  };
  add("film", one.items.films, other.items.films);
  add("track", one.items.tracks, other.items.tracks);
  if (count > kNamed) text += " and " + std::to_string(count - kNamed) + " more";
  return text.empty() ? text : one.system + " lacks " + text;
}

void require_same(const Ranked& first, const Ranked& other) {
  if (first.items.films == other.items.films && first.items.tracks == other.items.tracks) return;
  const auto here = lacking(first, other), there = lacking(other, first);
  throw InvalidArgument("table: " + first.system + " and " + other.system +
                        " would rank different items: " + here +
                        (here.empty() || there.empty() ? "" : "; ") + there +
                        ". Extract and embed all of them for every system, or take them out of "
                        "the manifest");
}

}  // namespace

bool make_encoders(const TableSpec& spec, const fs::path& store_folder, const fs::path& out,
                   const TableOptions& options, const RunControl& control) {
  std::map<std::string, std::pair<const TableSystem*, json>> made;
  for (const auto& system : spec.systems) {
    const auto parts = to_json(system.recipe).at("pretrain");
    for (const auto& [modality, part] : system.recipe.pretrain) {
      const auto [first, fresh] = made.emplace(part.output, std::pair(&system, parts[modality]));
      VMR_CHECK(fresh || first->second.second == parts[modality],
                "table: ", first->second.first->name(), " and ", system.name(),
                " pre-train different encoders for the feature \"", part.output, "\"");
      if (!fresh) continue;
      const std::string kind = kind_of(modality);
      const auto run = out / "encoders" / part.output;
      // One that was not made here is taken as it is; ours may have been stopped in the middle.
      if (!fs::exists(run)) {
        const auto store = store::FeatureStore::open(store_folder);
        if (store->provenance(part.output, kind)) {
          require_recipe(system, modality, store_folder, *store);
          require_embedded(*store, part, kind);
          continue;
        }
      }
      const TrainOptions run_options{{1, options.device}, {}};
      if (!pretrain(system.recipe, modality, store_folder, run, run_options, control).finished) {
        return false;
      }
      embed(run, store_folder, run_options, control);
      if (control.stop.stop_requested()) return false;
      require_embedded(*store::FeatureStore::open(store_folder), part, kind);
    }
  }
  return true;
}

json encoder_fingerprints(const TableSpec& spec, const store::FeatureStore& store) {
  json fingerprints = json::object();
  for (const auto& system : spec.systems) {
    for (const auto& [modality, part] : system.recipe.pretrain) {
      const auto provenance = store.provenance(part.output, kind_of(modality));
      if (provenance) fingerprints[part.output] = provenance->fingerprint();
    }
  }
  return fingerprints;
}

TableItems common_items(const TableSpec& spec, const store::FeatureStore& store,
                        const store::Manifest& manifest, const std::string& split,
                        const RunControl& control) {
  const auto first = ranked_by(spec.systems.front(), store, manifest, split, control);
  for (size_t i = 1; i < spec.systems.size(); ++i) {
    require_same(first, ranked_by(spec.systems[i], store, manifest, split, control));
  }
  const auto& left_out = first.items.left_out;
  if (!left_out.empty()) {
    control.log(LogLevel::warning,
                detail::concat("table: ", left_out.size(), " items of split ", split,
                               " are left out by every system; the first: ", left_out[0].id, ": ",
                               left_out[0].reason));
  }
  return first.items;
}

}  // namespace vmr::pipeline
