#include "store_export.h"

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "failure_list.h"
#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/feature_files.h"
#include "vmr/pipeline/reference_data.h"
#include "vmr/store/feature_store.h"
#include "vmr/store/npy.h"

namespace vmr::apps {
namespace {

// A feature's tracks as .npy files, one an item.
int export_arrays(const store::FeatureStore& store, const StoreExport& options, bool json) {
  VMR_CHECK(!options.feature.empty(), "--feature is required, unless with --format statistics");
  const auto keys = store.keys(options.feature, options.kind);
  VMR_CHECK(!keys.empty(), "store export: the store has no feature \"", options.feature,
            "\"; `vmr store stats` lists what it has");
  std::filesystem::create_directories(options.out);
  std::vector<ItemFailure> failures;
  for (const auto& key : keys) {
    const auto name = pipeline::file_name_of(key.kind + "_" + key.id);
    try {
      store::write_npy(std::filesystem::path(options.out) / (name + ".npy"),
                       store.find(key)->values);
    } catch (const StoreError& error) {
      failures.push_back({key.id, error.what()});
    }
  }
  const auto written = int64_t(keys.size() - failures.size());
  if (json)
    print_json({{"written", written}, {"failed", failures.size()}, {"out", options.out}});
  else
    std::cout << counted(written, "file") << " written to " << options.out << "\n";
  return report_failures(failures, written);
}

int export_statistics(const store::FeatureStore& store, const StoreExport& options, bool json) {
  VMR_CHECK(options.feature.empty() && options.kind.empty(),
            "--format statistics writes the measures of rhythm and flow: leave --feature and "
            "--kind out");
  const auto exported = pipeline::export_statistics(store, options.out);
  VMR_CHECK(exported.items > 0 || !exported.problems.empty(),
            "the store has neither rhythm_measures nor clip_flow_measures; `vmr store stats` lists "
            "what it has");
  auto files = nlohmann::json::array();
  for (const auto& file : exported.files) files.push_back(file.string());
  if (json) {
    print_json({{"files", files},
                {"items", exported.items},
                {"clips", exported.clips},
                {"problems", listed(exported.problems)}});
  } else {
    std::cout << exported.clips << " clips of " << counted(exported.items, "item");
    for (size_t i = 0; i < exported.files.size(); ++i) {
      std::cout << (i == 0 ? " written to " : " and ") << exported.files[i].string();
    }
    std::cout << "\n";
  }
  return report_failures(exported.problems, exported.items);
}

}  // namespace

void add_export_options(CLI::App& app, StoreExport& options) {
  app.add_option("--feature", options.feature, "name of the feature; needed for npy");
  app.add_option("--kind", options.kind, "film, music or tag; all without it");
  app.add_option("--out", options.out, "folder")->required();
  app.add_option("--format", options.format,
                 "npy: a feature, one file an item; statistics: measures of rhythm and flow as the "
                 "published code's rhythm.txt and flow.txt, for `vmr import rhythm|flow`")
      ->capture_default_str()
      ->check(CLI::IsMember({"npy", "statistics"}));
}

int export_store(const std::string& folder, const StoreExport& options, bool json) {
  const auto store = store::FeatureStore::open(folder);
  return options.format == "statistics" ? export_statistics(*store, options, json)
                                        : export_arrays(*store, options, json);
}

}  // namespace vmr::apps
