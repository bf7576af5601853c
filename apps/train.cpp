// vmr train: a matching model from a recipe.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "recipe_files.h"
#include "training.h"

namespace vmr::apps {
namespace {

int run(const TrainingOptions& options) {
  const auto summary = pipeline::train_matching(find_recipe(options.recipe), options.store,
                                                options.out, options.run(), control());
  return report_training(summary, options.common.json);
}

}  // namespace

int report_training(const train::TrainSummary& summary, bool json) {
  end_progress();
  if (json) {
    print_json({{"epochs", summary.epochs},
                {"steps", summary.steps},
                {"resumed_step", summary.resumed_step},
                {"finished", summary.finished},
                {"figures_of", "validation split"},
                {"figures", summary.figures},
                {"best_epoch", summary.best_epoch},
                {"best_checkpoint", summary.best_checkpoint.string()},
                {"seconds", summary.seconds}});
  } else {
    std::cout << counted(summary.epochs, "epoch") << ", " << counted(summary.steps, "step") << ", "
              << summary.seconds << " s\n";
    if (!summary.figures.empty()) std::cout << "on the validation split:";
    for (const auto& [name, value] : summary.figures) std::cout << " " << name << " " << value;
    std::cout << (summary.figures.empty() ? "" : "\n")
              << "best checkpoint: " << summary.best_checkpoint.string() << "\n";
  }
  return summary.finished ? kDone : kInterrupted;
}

void add_training(CLI::App& app, TrainingOptions& options, const char* store) {
  add_common(app, options.common);
  app.add_option("--recipe", options.recipe, "recipe file (JSON) or the name of a built-in one")
      ->required();
  app.add_option("--store", options.store, store)->required();
  app.add_option("--out", options.out, "run folder")->required();
  app.add_option("--from", options.from,
                 "run folder whose best weights this one begins with (fine-tuning), "
                 "also one of `vmr convert --as`");
}

Command add_train(CLI::App& root) {
  auto options = std::make_shared<TrainingOptions>();
  auto* app = root.add_subcommand(
      "train", "train the recipe's matching model on a feature store; a second run resumes");
  add_training(*app, *options, "feature store with clip features");
  return {app, [options] { return run(*options); }, /*resumes=*/true};
}

}  // namespace vmr::apps
