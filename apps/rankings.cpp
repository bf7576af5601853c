// vmr rankings: the figures of a ranking file, of a run or of another tool.
#include "vmr/pipeline/rankings.h"

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "shared.h"

namespace vmr::apps {
namespace {

struct Options {
  bool json = false;
  std::string file;
  std::vector<int64_t> ks = {1, 5, 10, 25};
};

int run(const Options& options) {
  const auto document =
      pipeline::rankings_document(pipeline::read_rankings(options.file), options.ks);
  if (options.json) {
    print_json(document);
  } else {
    std::cout << pipeline::rankings_table(document);
  }
  return kDone;
}

}  // namespace

Command add_rankings(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand(
      "rankings", "hit, recall, precision, MAP, MRR, NDCG and median rank of a ranking file");
  app->add_option("file", options->file,
                  "ranking file of `vmr evaluate --rankings` or of another tool: .json or .csv")
      ->required()
      ->check(CLI::ExistingFile);
  app->add_option("--k", options->ks, "ranks to report")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app->add_flag("--json", options->json, "print the result as JSON");
  return {app, [options] { return run(*options); }};
}

}  // namespace vmr::apps
