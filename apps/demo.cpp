// vmr demo: the whole way from nothing to ranked music for a film the model has never seen, stage
// by stage, each with the command that does the same. Running it again reuses what is there.
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "demo_stages.h"
#include "demo_summary.h"
#include "shared.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string out = "demo", check;
  bool small = false;
};

int run_demo(const Options& options) {
  const std::filesystem::path out = options.out;
  Demo demo(out, options.small, options.common);
  demo.synthesise();
  demo.extract();
  demo.pretrain("audio");
  demo.pretrain("video");
  demo.train();
  demo.evaluate();
  demo.index();
  demo.match();
  if (interrupted()) return kInterrupted;
  const auto summary = demo.summary();
  write_demo_summary(out / "summary.json", summary);
  if (options.common.json) {
    print_json(summary);
  } else {
    print_demo_summary(summary, out);
  }
  return kDone;
}

}  // namespace

Command add_demo(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand(
      "demo", "everything from nothing: library, features, training, evaluation, a match");
  add_common(*app, options->common);
  app->add_option("--out", options->out, "folder")->capture_default_str();
  app->add_flag("--small", options->small,
                "two minutes instead of fifteen; too little to learn matching from");
  app->add_option("--check", options->check, "only check the summary of a finished demo");
  return {app,
          [options] {
            return options->check.empty() ? run_demo(*options) : check_demo(options->check);
          },
          /*resumes=*/true};
}

}  // namespace vmr::apps
