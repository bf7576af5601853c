// vmr pretrain: a clip encoder on labels.
#include <memory>
#include <nlohmann/json.hpp>

#include "recipe_files.h"
#include "shared.h"
#include "training.h"
#include "vmr/pipeline/runs.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string recipe, store, out, modality, from;
};

int run(const Options& options) {
  const auto recipe = find_recipe(options.recipe);
  const auto summary =
      pipeline::pretrain(recipe, options.modality, options.store, options.out,
                         {{options.common.seed, options.common.device}, options.from}, control());
  return report_training(summary, options.common.json);
}

}  // namespace

Command add_pretrain(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand(
      "pretrain", "train a clip encoder (Conformer) to tell labels; a second run resumes");
  add_common(*app, options->common);
  app->add_option("modality", options->modality, "audio or video: the recipe's pretrain part")
      ->required();
  app->add_option("--recipe", options->recipe, "recipe file (JSON) or the name of a built-in one")
      ->required();
  app->add_option("--store", options->store, "feature store of `vmr extract`")->required();
  app->add_option("--out", options->out, "run folder")->required();
  app->add_option("--from", options->from,
                  "run folder whose best weights this one begins with (fine-tuning), "
                  "also one of `vmr convert --as`");
  return {app, [options] { return run(*options); }, /*resumes=*/true};
}

}  // namespace vmr::apps
