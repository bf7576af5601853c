// vmr store: care of feature stores.
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/store/feature_store.h"
#include "vmr/store/npy.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string store, out, feature, kind;
};

int check(const Options& options) {
  const auto report = store::check_store(options.store, control());
  end_progress();
  if (options.common.json) {
    auto damaged = nlohmann::json::array();
    for (const auto& item : report.damaged) {
      damaged.push_back({{"key", item.id}, {"reason", item.reason}});
    }
    print_json({{"checked", report.checked}, {"damaged", damaged}});
  } else {
    std::cout << report.checked << " tracks checked, " << report.damaged.size() << " damaged\n";
  }
  return report_failures(report.damaged, report.checked - int64_t(report.damaged.size()));
}

int merge(const Options& options) {
  const auto merged = store::merge_store(options.store, control());
  end_progress();
  if (options.common.json)
    print_json({{"merged", merged}});
  else
    std::cout << merged << " tracks merged into the main part\n";
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
    for (const char* kind : {"film", "music"}) {
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
  const nlohmann::json document = {{"tracks", figures.tracks},
                                   {"value_bytes", figures.value_bytes},
                                   {"file_bytes", figures.file_bytes},
                                   {"parts", figures.parts},
                                   {"features", features}};
  if (options.common.json) {
    print_json(document);
    return kDone;
  }
  std::cout << figures.tracks << " tracks, " << figures.value_bytes / 1e6 << " MB of values in "
            << figures.file_bytes / 1e6 << " MB of files, " << figures.parts << " parts\n";
  for (const auto& feature : features) {
    std::cout << "  " << feature["feature"].get<std::string>() << " ("
              << feature["kind"].get<std::string>() << "): " << feature["tracks"] << "\n";
  }
  return kDone;
}

// A feature's tracks as .npy files, one an item.
int export_feature(const Options& options) {
  const auto store = store::FeatureStore::open(options.store);
  const auto keys = store->keys(options.feature, options.kind);
  VMR_CHECK(!keys.empty(), "store export: the store has no feature \"", options.feature,
            "\"; `vmr store stats` lists what it has");
  std::filesystem::create_directories(options.out);
  for (const auto& key : keys) {
    std::string name = key.kind + "_" + key.id;
    for (char& c : name) {
      if (c == '/' || c == '\\' || c == '\0') c = '_';
    }
    store::write_npy(std::filesystem::path(options.out) / (name + ".npy"),
                     store->find(key)->values);
  }
  if (options.common.json)
    print_json({{"written", keys.size()}, {"out", options.out}});
  else
    std::cout << keys.size() << " files written to " << options.out << "\n";
  return kDone;
}

int remove(const Options& options) {
  store::StoreOptions store_options;
  store_options.writable = true;
  const auto store = store::FeatureStore::open(options.store, store_options);
  int64_t removed = 0;
  for (const std::string kind : {"film", "music"}) {
    if (options.kind.empty() || options.kind == kind) {
      removed += store->remove_feature(options.feature, kind);
    }
  }
  if (options.common.json)
    print_json({{"removed", removed}});
  else
    std::cout << removed << " tracks removed\n";
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
  auto* merge_app = subcommand("merge", "join the parts of sharded runs into one");
  auto* compact_app = subcommand("compact", "rewrite without free space");
  auto* stats_app = subcommand("stats", "features with their number of tracks and provenance");
  auto* export_app = subcommand("export", "a feature as .npy files");
  auto* remove_app = subcommand("remove", "drop a feature, so that it can be made anew");
  for (auto* sub : {export_app, remove_app}) {
    sub->add_option("--feature", options->feature, "name of the feature")->required();
    sub->add_option("--kind", options->kind, "film or music; both without it");
  }
  export_app->add_option("--out", options->out, "folder")->required();
  return {app, [=] {
            if (check_app->parsed()) return check(*options);
            if (merge_app->parsed()) return merge(*options);
            if (compact_app->parsed()) return compact(*options);
            if (stats_app->parsed()) return stats(*options);
            if (export_app->parsed()) return export_feature(*options);
            return remove(*options);
          }};
}

}  // namespace vmr::apps
