#include "vmr/pipeline/extraction.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <set>

#include "core/byte_text.h"
#include "core/file_io.h"
#include "pipeline/has_features.h"
#include "pipeline/manifest_json.h"
#include "pipeline/stored_items.h"
#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"
#include "vmr/core/parallel.h"

namespace vmr::pipeline {

bool detail::has_features(const store::FeatureStore& store, const store::ManifestItem& item,
                          const ExtractRecipe& recipe) {
  const auto planned = planned_features(item.kind, recipe);
  return std::all_of(planned.begin(), planned.end(), [&](const auto& feature) {
    return store.contains({feature.first, item.kind, item.id});
  });
}

namespace {

using nlohmann::json;

constexpr const char* kManifestNote = "manifest";
constexpr const char* kRecipeNote = "extract_recipe";
constexpr const char* kEdgesNote = "clip_flow_edges";

// Refuses to mix: a feature that is in the store must have been made with the same options.
void check_provenance(const store::FeatureStore& store, const ExtractRecipe& recipe) {
  for (const std::string kind : {"music", "film"}) {
    for (const auto& [feature, planned] : planned_features(kind, recipe)) {
      const auto stored = store.provenance(feature, kind);
      if (!stored || stored->fingerprint() == planned.fingerprint()) continue;
      throw InvalidArgument(vmr::detail::concat(
          "extract: the store holds \"", feature, "\" made with ", stored->options, " (version ",
          stored->version, "), this recipe wants ", planned.options, " (version ", planned.version,
          "); use another store, or remove the feature with `vmr store remove`"));
    }
  }
}

// The store's items and the new ones, which replace those of their id.
store::Manifest merged(store::Manifest old, const store::Manifest& added) {
  std::set<std::pair<std::string, std::string>> replaced;
  for (const auto& item : added.items) replaced.emplace(item.kind, item.id);
  std::erase_if(old.items, [&](const auto& item) {
    return replaced.count({item.kind, item.id}) > 0;
  });
  old.items.insert(old.items.end(), added.items.begin(), added.items.end());
  return old;
}

ExtractRecipe parse_extract(const json& extract) {
  return parse_recipe({{"extract", extract}}, "the store's recipe").extract;
}

// Fingerprints by kind and feature.
using Plan = std::map<std::pair<std::string, std::string>, std::string>;

Plan plan_of(const ExtractRecipe& recipe) {
  Plan plan;
  for (const std::string kind : {"music", "film"}) {
    for (const auto& [feature, provenance] : planned_features(kind, recipe)) {
      plan[{kind, feature}] = provenance.fingerprint();
    }
  }
  return plan;
}

bool makes(const json& extract, const Plan& wanted) {
  try {
    return plan_of(parse_extract(extract)) == wanted;
  } catch (const InvalidArgument&) {
    return false;  // settings of two recipes that no one recipe may have
  }
}

// The recipe that makes the features of both as each of them does: tracks that come later are
// analysed by it. Settings that matter to features of one of them only are taken from that one.
json united(const json& before, const json& now) {
  json features = now.at("features");
  for (const auto& [name, feature] : before.at("features").items()) {
    if (!features.contains(name)) features[name] = feature;
  }
  Plan wanted = plan_of(parse_extract(now));
  wanted.merge(plan_of(parse_extract(before)));
  for (const json* audio : {&now, &before}) {
    for (const json* frames : {&now, &before}) {
      const json both = {
          {"audio", audio->at("audio")}, {"frames", frames->at("frames")}, {"features", features}};
      if (makes(both, wanted)) return both;
    }
  }
  const auto settings = [](const json& recipe) {
    return json{{"audio", recipe.at("audio")}, {"frames", recipe.at("frames")}}.dump();
  };
  throw InvalidArgument("extract: the store was filled with the settings " + settings(before) +
                        ", and its features cannot share a store with those of the settings " +
                        settings(now) + "; use the same settings, or another store");
}

// What the store was filled with: a later recipe of fewer features takes none away. Returns all its
// items.
store::Manifest keep_notes(store::FeatureStore& store, const store::Manifest& manifest,
                           const ExtractRecipe& recipe) {
  const auto items = detail::merged_manifest(store, manifest);
  json extract = to_json(recipe);
  if (const auto text = store.find_note(kRecipeNote)) {
    extract = united(to_json(parse_extract(json::parse(*text))), extract);
  }
  detail::keep_manifest(store, items);
  store.put_note(kRecipeNote, extract.dump());
  return items;
}

void write_quarantine(const std::filesystem::path& folder, const ExtractOptions& options,
                      const std::vector<std::pair<const store::ManifestItem*, std::string>>& bad) {
  std::string text;
  for (const auto& [item, reason] : bad) {
    const json line = {{"id", item->id},
                       {"kind", item->kind},
                       {"path", vmr::detail::escape_bytes(item->path.string())},
                       {"reason", reason}};
    text += line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  }
  const std::string name = options.shard_count == 1
                               ? "quarantine.jsonl"
                               : vmr::detail::concat("quarantine-", options.shard_index, "-of-",
                                                     options.shard_count, ".jsonl");
  vmr::detail::write_file_atomically(folder / name, text);
}

}  // namespace

store::Manifest detail::merged_manifest(const store::FeatureStore& store,
                                        const store::Manifest& added) {
  const auto text = store.find_note(kManifestNote);
  return text ? merged(manifest_from_json(json::parse(*text)), added) : added;
}

void detail::keep_manifest(store::FeatureStore& store, const store::Manifest& manifest) {
  store.put_note(kManifestNote, manifest_to_json(manifest).dump());
}

store::Manifest stored_manifest(const store::FeatureStore& store) {
  const auto text = store.find_note(kManifestNote);
  if (!text) {
    throw StoreError("the store has no manifest; fill it with `vmr extract MANIFEST --store ...`");
  }
  return manifest_from_json(json::parse(*text));
}

ExtractRecipe stored_extract_recipe(const store::FeatureStore& store) {
  const auto text = store.find_note(kRecipeNote);
  if (!text) {
    throw StoreError("the store has no recipe; fill it with `vmr extract MANIFEST --store ...`");
  }
  return parse_extract(json::parse(*text));
}

std::optional<video::FlowClassEdges> stored_flow_edges(const store::FeatureStore& store) {
  const auto text = store.find_note(kEdgesNote);
  if (!text) return std::nullopt;
  return video::flow_class_edges_from_json(*text);
}

FeatureTrack clip_flow_track(const FeatureTrack& measures, const video::FlowClassEdges& edges) {
  FeatureTrack track;
  track.values = video::flow_classes(measures.values, edges).classes;
  track.times = measures.times;
  track.provenance = measures.provenance;
  track.provenance.extractor = "clip_flow";
  track.provenance.options = json{{"measures", measures.provenance.fingerprint()},
                                  {"edges", json::parse(video::to_json(edges))}}
                                 .dump();
  return track;
}

int64_t classify_clip_flow(store::FeatureStore& store, const store::Manifest& manifest,
                           const ExtractRecipe& recipe) {
  if (!recipe.clip_flow) return 0;
  auto edges = stored_flow_edges(store);
  if (edges) {
    const bool quantile = edges->kind != video::reference_edges().kind;
    VMR_CHECK(
        quantile == recipe.clip_flow->quantile_classes,
        "extract: the store's clip_flow classes have ", edges->kind, " edges, the recipe asks for ",
        recipe.clip_flow->quantile_classes ? "quantile" : "reference", " ones; use another store");
  }
  if (!edges) {
    if (recipe.clip_flow->quantile_classes) {
      std::vector<float> training;
      for (const auto* film : manifest.of("film")) {
        if (film->split != "train" && !film->split.empty()) continue;
        if (const auto track = store.find({"clip_flow_measures", "film", film->id})) {
          const auto* values = track->values.const_data_ptr<float>();
          training.insert(training.end(), values, values + track->values.numel());
        }
      }
      if (training.empty()) return 0;
      edges = video::fit_quantile_edges(training);
    } else {
      edges = video::reference_edges();
    }
    store.put_note(kEdgesNote, video::to_json(*edges));
  }
  int64_t written = 0;
  for (const auto* film : manifest.of("film")) {
    if (store.contains({"clip_flow", "film", film->id})) continue;
    const auto measures = store.find({"clip_flow_measures", "film", film->id});
    if (!measures) continue;
    store.put({{{"clip_flow", "film", film->id}, clip_flow_track(*measures, *edges)}});
    ++written;
  }
  return written;
}

ExtractSummary extract(const store::Manifest& manifest, const std::filesystem::path& store_folder,
                       const ExtractRecipe& recipe, const ExtractOptions& options,
                       const RunControl& control) {
  VMR_CHECK(options.shard_count >= 1 && options.shard_index >= 0 &&
                options.shard_index < options.shard_count,
            "extract: expected shard i/n with 0 <= i < n, got ", options.shard_index, "/",
            options.shard_count);
  const auto begun = std::chrono::steady_clock::now();
  store::StoreOptions store_options;
  store_options.writable = true;
  store_options.shard_index = options.shard_index;
  store_options.shard_count = options.shard_count;
  const auto store = store::FeatureStore::open(store_folder, store_options);
  check_provenance(*store, recipe);
  const auto all_items = keep_notes(*store, manifest, recipe);

  std::vector<const store::ManifestItem*> pending;
  ExtractSummary summary;
  for (size_t i = 0; i < manifest.items.size(); ++i) {
    if (int64_t(i) % options.shard_count != options.shard_index) continue;
    ++summary.items;
    if (detail::has_features(*store, manifest.items[i], recipe)) {
      ++summary.already_there;
    } else {
      pending.push_back(&manifest.items[i]);
    }
  }
  std::mutex mutex;
  std::vector<std::pair<const store::ManifestItem*, std::string>> bad;
  std::stop_source enough;  // our own stop: the caller's, or too many failures
  std::stop_callback forward(control.stop, [&] { enough.request_stop(); });
  const auto one = [&](int64_t index) {
    const auto& item = *pending[size_t(index)];
    std::string reason;
    std::vector<std::string> problems;
    double duration = 0;
    try {
      const auto extracted =
          item.kind == "film" ? extract_film(item.path, recipe, enough.get_token())
                              : extract_music(item.path, recipe, options.aubio, enough.get_token());
      problems = extracted.problems;
      std::vector<std::pair<store::FeatureKey, FeatureTrack>> commit;
      for (const auto& [feature, track] : extracted.tracks) {
        commit.push_back({{feature, item.kind, item.id}, track});
        if (track.times.size() > 0) {
          duration = std::max(duration, track.times.at(track.times.size() - 1).end_seconds);
        }
      }
      store->put(commit);
    } catch (const MediaError& error) {
      reason = error.what();
    } catch (const InvalidArgument& error) {
      reason = error.what();
    } catch (const Error& error) {
      if (!enough.stop_requested()) throw;
      reason = error.what();
    }
    std::lock_guard lock(mutex);
    if (enough.stop_requested() && !reason.empty()) return;  // cut off in the middle, not bad
    if (reason.empty()) {
      ++summary.extracted;
      summary.media_seconds += duration;
      for (const auto& problem : problems) summary.damaged.push_back({item.id, problem});
    } else {
      bad.emplace_back(&item, reason);
      summary.failures.push_back({item.id, reason});
      if (options.max_bad >= 0 && int64_t(bad.size()) > options.max_bad) {
        summary.too_many_bad = true;
        enough.request_stop();
      }
    }
    control.progress(
        {"extract", summary.extracted + int64_t(bad.size()), int64_t(pending.size()), item.id});
  };
  for_each_item(int64_t(pending.size()), options.threads, one, enough.get_token());
  write_quarantine(store_folder, options, bad);
  summary.interrupted = control.stop.stop_requested();
  // Edges are fitted once: not on the part that was there when too many items had failed.
  if (!enough.stop_requested() && options.shard_count == 1) {
    classify_clip_flow(*store, all_items, recipe);
  }
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return summary;
}

}  // namespace vmr::pipeline
