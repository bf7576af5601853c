// vmr store: care of feature stores.
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "shared.h"
#include "store_export.h"
#include "vmr/store/feature_store.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string store, feature, kind;
  StoreExport exported;
  bool remove_damaged = false;
};

int check(const Options& options) {
  // Its log tells where --remove-damaged would help.
  const auto report =
      store::check_store(options.store, control(), {.remove_damaged = options.remove_damaged});
  end_progress();
  const auto damaged_count = int64_t(report.damaged.size());
  if (options.common.json) {
    auto damaged = nlohmann::json::array();
    for (const auto& item : report.damaged) {
      damaged.push_back({{"key", item.id}, {"reason", item.reason}});
    }
    print_json({{"checked", report.checked}, {"damaged", damaged}, {"removed", report.removed}});
  } else {
    std::cout << counted(report.checked, "value") << " checked, " << damaged_count << " damaged";
    if (options.remove_damaged) std::cout << ", " << report.removed << " removed";
    std::cout << "\n";
  }
  const int code = report_failures(report.damaged, report.checked - damaged_count);
  if (report.removed > 0) {
    std::cerr << "run the `vmr extract` or `vmr embed` that made what was removed again\n";
  }
  return code != kInterrupted && report.removed == damaged_count ? kDone : code;
}

int merge(const Options& options) {
  const auto merged = store::merge_store(options.store, control());
  end_progress();
  if (options.common.json)
    print_json({{"merged", merged}});
  else
    std::cout << counted(merged, "value") << " merged into the main part\n";
  return kDone;
}

int compact(const Options& options) {
  const auto saved = store::compact_store(options.store);
  if (options.common.json)
    print_json({{"saved_bytes", saved}});
  else
    std::cout << saved << " bytes saved\n";
  return kDone;
}

int stats(const Options& options) {
  const auto store = store::FeatureStore::open(options.store);
  const auto figures = store->stats();
  auto features = nlohmann::json::array();
  for (const auto& feature : store->features()) {
    for (const char* kind : {"film", "music", "tag"}) {
      const auto provenance = store->provenance(feature, kind);
      if (!provenance) continue;
      features.push_back({{"feature", feature},
                          {"kind", kind},
                          {"tracks", store->keys(feature, kind).size()},
                          {"version", provenance->version},
                          {"options", provenance->options},
                          {"weights_hash", provenance->weights_hash}});
    }
  }
  std::map<std::string, std::set<std::string>> items;  // ids by kind
  for (const auto& key : store->keys()) items[key.kind].insert(key.id);
  const auto films = int64_t(items["film"].size()), music = int64_t(items["music"].size());
  const nlohmann::json document = {{"items", {{"film", films}, {"music", music}}},
                                   {"tracks", figures.tracks},
                                   {"value_bytes", figures.value_bytes},
                                   {"file_bytes", figures.file_bytes},
                                   {"parts", figures.parts},
                                   {"features", features}};
  if (options.common.json) {
    print_json(document);
    return kDone;
  }
  std::cout << counted(films, "film") << " and " << counted(music, "track") << ": "
            << counted(figures.tracks, "value") << " (one a feature and item), "
            << figures.value_bytes / 1e6 << " MB in " << figures.file_bytes / 1e6
            << " MB of files, " << counted(figures.parts, "part") << "\n";
  for (const auto& feature : features) {
    const auto kind = feature["kind"].get<std::string>();
    std::cout << "  " << feature["feature"].get<std::string>() << ": "
              << counted(feature["tracks"].get<int64_t>(), kind == "music" ? "track" : kind)
              << "\n";
  }
  return kDone;
}

int remove(const Options& options) {
  store::StoreOptions store_options;
  store_options.writable = true;
  const auto store = store::FeatureStore::open(options.store, store_options);
  int64_t removed = 0;
  for (const std::string kind : {"film", "music", "tag"}) {
    if (options.kind.empty() || options.kind == kind) {
      removed += store->remove_feature(options.feature, kind);
    }
  }
  if (options.common.json)
    print_json({{"removed", removed}});
  else
    std::cout << counted(removed, "value") << " removed\n";
  return removed > 0 ? kDone : kNothingDone;
}

}  // namespace

Command add_store(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand("store", "check, merge, compact, list and export feature stores");
  app->require_subcommand(1);
  const auto subcommand = [&](const char* name, const char* text) {
    auto* sub = app->add_subcommand(name, text);
    add_common(*sub, options->common);
    sub->add_option("store", options->store, "folder of the store")->required();
    return sub;
  };
  auto* check_app = subcommand("check", "read every value and compare its checksum");
  check_app->add_flag("--remove-damaged", options->remove_damaged,
                      "take out what is damaged, so that the next extract makes it again");
  auto* merge_app = subcommand("merge", "join the parts of sharded runs into one");
  auto* compact_app = subcommand("compact", "rewrite without free space");
  auto* stats_app =
      subcommand("stats", "films, tracks, and for how many of them each feature is there");
  auto* export_app = subcommand("export", "a feature as .npy files, or the published statistics");
  add_export_options(*export_app, options->exported);
  auto* remove_app = subcommand("remove", "drop a feature, so that it can be made anew");
  remove_app->add_option("--feature", options->feature, "name of the feature")->required();
  remove_app->add_option("--kind", options->kind, "film, music or tag; all without it");
  return {app, [=] {
            if (check_app->parsed()) return check(*options);
            if (merge_app->parsed()) return merge(*options);
            if (compact_app->parsed()) return compact(*options);
            if (stats_app->parsed()) return stats(*options);
            if (export_app->parsed()) {
              return export_store(options->store, options->exported, options->common.json);
            }
            return remove(*options);
          }};
}

}  // namespace vmr::apps
