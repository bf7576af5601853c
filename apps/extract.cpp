// vmr extract: media files of a manifest into a feature store.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "backends.h"
#include "failure_list.h"
#include "recipe_files.h"
#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/class_clamps.h"
#include "vmr/pipeline/extraction.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string manifest, recipe, store, shard = "0/1";
  int64_t max_bad = -1;
};

int run(const Options& options) {
  pipeline::ExtractOptions extract;
  char rest = 0;
  VMR_CHECK(std::sscanf(options.shard.c_str(), "%d/%d%c", &extract.shard_index,
                        &extract.shard_count, &rest) == 2,
            "extract: --shard: expected i/n with i from 0, like 0/4, got ", options.shard);
  extract.threads = options.common.threads;
  extract.max_bad = options.max_bad;
  extract.aubio = aubio_backend();
  const auto recipe = find_recipe(options.recipe);
  const auto manifest = store::read_manifest(options.manifest, {.require_paths = true});
  VMR_CHECK(!manifest.items.empty(), options.manifest, " lists no items");
  // Items are the unit of parallel work; each of them computes on one thread.
  Common one_thread = options.common;
  one_thread.threads = 1;
  use_threads(one_thread);
  const auto summary =
      pipeline::extract(manifest, options.store, recipe.extract, extract, control());
  end_progress();
  for (const auto& item : summary.damaged) {
    std::cerr << "warning: " << item.id << ": " << item.reason << "\n";
  }
  const auto clamps = pipeline::count_clamped(*store::FeatureStore::open(options.store), manifest,
                                              recipe.extract.clip_seconds);
  if (options.common.json) {
    print_json({{"items", summary.items},
                {"extracted", summary.extracted},
                {"already_there", summary.already_there},
                {"failures", listed(summary.failures)},
                {"damaged", listed(summary.damaged)},
                {"clamped", {{"rhythm", clamps.rhythm}, {"flow", clamps.flow}}},
                {"seconds", summary.seconds},
                {"media_seconds", summary.media_seconds},
                {"interrupted", summary.interrupted},
                {"too_many_bad", summary.too_many_bad}});
  } else {
    std::cout << summary.extracted << " of " << counted(summary.items, "item") << " extracted, "
              << summary.already_there << " were there already, " << summary.failures.size()
              << " failed, " << summary.seconds << " s\n";
    if (clamps.rhythm + clamps.flow > 0) {
      std::cout << "beyond the last class, and put into it: " << clamps.rhythm
                << " values of rhythm, " << clamps.flow << " of flow\n";
    }
  }
  const auto done = summary.extracted + summary.already_there;
  const int code = report_failures(summary.failures, done);
  if (summary.too_many_bad) {
    std::cerr << "stopped: more than --max-bad " << options.max_bad << " failed; "
              << counted(summary.items - done - int64_t(summary.failures.size()), "item")
              << " not tried\n";
  }
  return code;
}

}  // namespace

Command add_extract(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand(
      "extract", "decode every file of a manifest once and keep the recipe's features in a store");
  add_common(*app, options->common);
  app->add_option("manifest", options->manifest, "manifest (JSON Lines)")->required();
  app->add_option("--recipe", options->recipe, "recipe file (JSON) or the name of a built-in one")
      ->required();
  app->add_option("--store", options->store, "feature store; made when missing")->required();
  app->add_option("--shard", options->shard, "do every n-th item only: i/n, i from 0")
      ->capture_default_str();
  app->add_option("--max-bad", options->max_bad, "stop after so many failures; -1 = never")
      ->capture_default_str();
  add_footer(*app,
             "Running it again goes on where it stopped. Failures are listed in "
             "STORE/quarantine.jsonl.");
  return {app, [options] { return run(*options); }, /*resumes=*/true};
}

}  // namespace vmr::apps
