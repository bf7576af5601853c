// vmr evaluate: retrieval figures of a trained run.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "shared.h"
#include "vmr/eval/evaluation_document.h"
#include "vmr/pipeline/runs.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string run, store, truth, split = "test", protocol = "full";
};

int run(const Options& options) {
  pipeline::EvaluateOptions evaluate;
  evaluate.split = options.split;
  evaluate.seed = options.common.seed;
  evaluate.device = options.common.device;
  evaluate.truth = options.truth;
  const auto document = pipeline::evaluate(options.run, options.store, evaluate, control());
  end_progress();
  if (interrupted()) return kInterrupted;
  if (options.common.json) {
    print_json(document);
    return kDone;
  }
  if (const auto left_out = document.value("left_out", int64_t(0)); left_out > 0) {
    std::cerr << left_out << " films of the split lack a feature or a track and are left out\n";
  }
  std::cout << "independent embeddings, full gallery of split " << options.split << "\n"
            << eval::evaluation_table(document);
  if (document.contains("joint")) {
    std::cout << "\njoint scores\n" << eval::evaluation_table(document.at("joint"));
  }
  if (document.contains("ceiling")) {
    std::cout << "\nceiling: the hidden truth itself\n"
              << eval::evaluation_table(document.at("ceiling"));
  }
  return kDone;
}

}  // namespace

Command add_evaluate(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand(
      "evaluate", "recall in both directions with gallery size, chance and 95 % intervals");
  add_common(*app, options->common);
  app->add_option("--run", options->run, "run folder of `vmr train`")->required();
  app->add_option("--store", options->store, "feature store")->required();
  app->add_option("--split", options->split, "split of the manifest")->capture_default_str();
  app->add_option("--protocol", options->protocol, "full: every item is in the gallery")
      ->capture_default_str()
      ->check(CLI::IsMember({"full"}));
  app->add_option("--truth", options->truth,
                  "folder of a generated library: its hidden truth's recall is the ceiling");
  return {app, [options] { return run(*options); }};
}

}  // namespace vmr::apps
