// vmr evaluate: retrieval figures of a trained run, and what its ways of scoring cost.
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "shared.h"
#include "vmr/eval/evaluation_document.h"
#include "vmr/pipeline/variants.h"

namespace vmr::apps {
namespace {

using nlohmann::json;

struct Options {
  Common common;
  std::string run, store;
  std::vector<std::string> protocols;
  std::string distance = "cosine", joint = "own";
  pipeline::EvaluateOptions evaluate;
  bool compare_variants = false;
  std::vector<int64_t> shortlists;
};

const char* meaning(const std::string& protocol) {
  if (protocol == "tag_to_tag") return "tag->tag, ORACLE: uses the query's true tags";
  if (protocol == "video_to_tag") return "video->tag: tags near the query, then its scores";
  return "DAM: tags of the tag classifier, then the scores";
}

void print_section(const std::string& title, const json& document) {
  std::cout << title << "\n" << eval::evaluation_table(document);
}

void print_documents(const json& document, const std::string& ranked) {
  print_section("independent embeddings, " + ranked, document);
  if (!document.contains("joint")) return;
  const bool mean = document.at("joint").at("scoring") == "gallery_mean";
  std::cout << "\n";
  print_section(
      (mean ? "joint scores (film averaged over the gallery, as published), " : "joint scores, ") +
          ranked,
      document.at("joint"));
}

void print_evaluation(const json& document) {
  print_documents(document, "full gallery of split " + document.at("split").get<std::string>());
  const auto protocols = document.value("protocols", json::object());
  for (const auto& [name, part] : protocols.items()) {
    std::cout << "\n";
    print_documents(part, std::string(meaning(name)));
  }
  if (document.contains("ceiling")) {
    std::cout << "\n";
    print_section("ceiling: the hidden truth itself", document.at("ceiling"));
  }
}

pipeline::EvaluateOptions evaluate_options(const Options& options) {
  auto evaluate = options.evaluate;
  evaluate.seed = options.common.seed;
  evaluate.device = options.common.device;
  for (const auto protocol : pipeline::kProtocols) {
    const auto& chosen = options.protocols;
    if (std::find(chosen.begin(), chosen.end(), name_of(protocol)) != chosen.end()) {
      evaluate.protocols.push_back(protocol);
    }
  }
  if (options.distance == "l2") evaluate.distance = model::Distance::l2;
  if (options.joint == "gallery_mean") evaluate.joint = model::PairScoring::gallery_mean;
  return evaluate;
}

int run(const Options& options) {
  const auto evaluate = evaluate_options(options);
  const auto document = options.compare_variants
                            ? pipeline::compare_variants(options.run, options.store,
                                                         {evaluate, options.shortlists}, control())
                            : pipeline::evaluate(options.run, options.store, evaluate, control());
  end_progress();
  if (interrupted()) return kInterrupted;
  if (options.common.json) {
    print_json(document);
    return kDone;
  }
  if (const auto left_out = document.value("left_out", int64_t(0)); left_out > 0) {
    std::cerr << left_out << " films of the split lack a feature or a track and are left out\n";
  }
  if (options.compare_variants) {
    std::cout << pipeline::variants_table(document);
  } else {
    print_evaluation(document);
  }
  return kDone;
}

}  // namespace

Command add_evaluate(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand(
      "evaluate", "recall in both directions with gallery size, chance and 95 % intervals");
  auto& evaluate = options->evaluate;
  add_common(*app, options->common);
  app->add_option("--run", options->run, "run folder of `vmr train`")->required();
  app->add_option("--store", options->store, "feature store")->required();
  app->add_option("--split", evaluate.split, "split of the manifest")->capture_default_str();
  std::vector<std::string> protocols;
  for (const auto protocol : pipeline::kProtocols) protocols.push_back(name_of(protocol));
  app->add_option("--protocol", options->protocols,
                  "full: every item of the gallery by its score, always reported; beside it "
                  "tag_to_tag (oracle), video_to_tag, dam: by tags first")
      ->delimiter(',')
      ->check(CLI::IsMember(protocols));
  app->add_option("--distance", options->distance, "between two items: cosine or l2")
      ->capture_default_str()
      ->check(CLI::IsMember({"cosine", "l2"}));
  app->add_option("--theta-weight", evaluate.theta_weight,
                  "weight of theta against rho, 0 to 1; without it the run's own")
      ->check(CLI::Range(0.0, 1.0));
  app->add_option("--joint", options->joint,
                  "joint scores: own (each pair's vectors) or gallery_mean (as published)")
      ->capture_default_str()
      ->check(CLI::IsMember({"own", "gallery_mean"}));
  app->add_option("--truth", evaluate.truth,
                  "folder of a generated library: its hidden truth's recall is the ceiling");
  auto* compare = app->add_flag("--compare-variants", options->compare_variants,
                                "recall and time of independent, joint and shortlisted scores");
  app->add_option("--shortlist", options->shortlists, "lengths to compare")
      ->delimiter(',')
      ->check(CLI::PositiveNumber)
      ->needs(compare);
  for (const char* other : {"--protocol", "--joint", "--truth"}) {
    compare->excludes(app->get_option(other));
  }
  return {app, [options] { return run(*options); }};
}

}  // namespace vmr::apps
