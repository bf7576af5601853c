// vmr embed: a run's outputs back into the store.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/runs.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string run, store, text_encoder;
};

int run(const Options& options) {
  VMR_CHECK(options.run.empty() != options.text_encoder.empty(),
            "expected either --run or --text-encoder, got ",
            options.run.empty() ? "neither" : "both");
  const pipeline::RunOptions run_options{options.common.seed, options.common.device};
  const auto summary =
      options.run.empty()
          ? pipeline::embed_tags(options.text_encoder, options.store, run_options, control())
          : pipeline::embed(options.run, options.store, run_options, control());
  end_progress();
  if (options.common.json) {
    print_json({{"feature", summary.feature},
                {"items", summary.items},
                {"already_there", summary.already_there},
                {"failures", summary.failures.size()}});
  } else {
    std::cout << summary.feature << ": " << counted(summary.items, "item") << " written, "
              << summary.already_there << " were there already\n";
  }
  return report_failures(summary.failures, summary.items + summary.already_there);
}

}  // namespace

Command add_embed(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand(
      "embed", "write a run's outputs (clip features or embeddings) back to the store");
  add_common(*app, options->common);
  app->add_option("--run", options->run, "run folder of pretrain or train");
  app->add_option("--text-encoder", options->text_encoder,
                  "or a sentence-transformers folder: vectors of the tags");
  app->add_option("--store", options->store, "feature store")->required();
  return {app, [options] { return run(*options); }, /*resumes=*/true};
}

}  // namespace vmr::apps
