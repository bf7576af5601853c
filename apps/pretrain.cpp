// vmr pretrain: a clip encoder on labels.
#include <memory>

#include "recipe_files.h"
#include "training.h"

namespace vmr::apps {
namespace {

struct Options : TrainingOptions {
  std::string modality;
};

int run(const Options& options) {
  const auto summary = pipeline::pretrain(find_recipe(options.recipe), options.modality,
                                          options.store, options.out, options.run(), control());
  return report_training(summary, options.common.json);
}

}  // namespace

Command add_pretrain(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand(
      "pretrain", "train a clip encoder (Conformer) to tell labels; a second run resumes");
  app->add_option("modality", options->modality, "audio or video: the recipe's pretrain part")
      ->required();
  add_training(*app, *options, "feature store of `vmr extract`");
  return {app, [options] { return run(*options); }, /*resumes=*/true};
}

}  // namespace vmr::apps
