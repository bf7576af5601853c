// vmr import features: what other programs computed.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "failure_list.h"
#include "import.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/feature_files.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  pipeline::FeatureFiles files;
  std::string store, manifest;
};

int run(Options options) {
  auto& files = options.files;
  if (!options.manifest.empty()) files.manifest = store::read_manifest(options.manifest);
  const auto imported = pipeline::import_features(files, options.store, control());
  end_progress();
  if (options.common.json) {
    print_json({{"feature", imported.feature},
                {"kind", files.kind},
                {"items", imported.items},
                {"rows", imported.rows},
                {"dim", imported.dim},
                {"passed_over", imported.passed_over},
                {"problems", listed(imported.problems)}});
  } else {
    std::cout << imported.feature << ": " << counted(imported.items, "item") << " with "
              << counted(imported.rows, "row") << " of " << counted(imported.dim, "value")
              << " imported, " << imported.passed_over << " files passed over, "
              << imported.problems.size() << " problems\n";
  }
  return report_failures(imported.problems, imported.items);
}

}  // namespace

Command add_import_features(CLI::App& import_app) {
  auto options = std::make_shared<Options>();
  auto& files = options->files;
  auto* app = import_app.add_subcommand(
      "features", "a folder of vectors that other programs computed, one file an item");
  add_common(*app, options->common);
  app->add_option("folder", files.folder, "ID.npy: [rows, dim] or [dim], float16, 32 or 64")
      ->required();
  app->add_option("--store", options->store, "feature store; made when missing")->required();
  app->add_option("--kind", files.kind, "what the files are of: film, music or tag")
      ->required()
      ->check(CLI::IsMember({"film", "music", "tag"}));
  app->add_option("--feature", files.feature,
                  "name in the store, for a recipe's model.music or model.video; tags need none");
  app->add_flag("--raw", files.raw, "files ID.bin, .dat or .f32 of float32 values alone");
  app->add_option("--dim", files.dim, "values of a row; without it as in the first file");
  auto* clip = app->add_option("--clip-seconds", files.clip_seconds, "stretch of a row, s")
                   ->capture_default_str();
  auto* hop = app->add_option("--hop-seconds", files.hop_seconds,
                              "from the beginning of a row to the next one's, s; a clip without");
  app->add_option("--prefix", files.prefix,
                  "beginning of the file names that is no part of the ids");
  app->add_option("--made-by", files.made_by,
                  "program and weights, kept with the values; those of others do not mix in");
  app->add_option("--manifest", options->manifest,
                  "add these items to the store's, for a store that `vmr extract` did not fill");
  add_footer(*app,
             "A [dim] file is one vector of the whole item. The vectors of tags take the place of "
             "`vmr embed --text-encoder`: TAG.npy, with _ for / in the name. What `vmr store "
             "export` wrote comes back with --prefix music_, film_ or tag_.");
  return {app, [=] {
            VMR_CHECK(
                options->files.kind != "tag" || (clip->empty() && hop->empty()),
                "--clip-seconds and --hop-seconds are for films and music; a tag has no time");
            return run(*options);
          }};
}

}  // namespace vmr::apps
