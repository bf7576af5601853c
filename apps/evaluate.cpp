// vmr evaluate: retrieval figures of a trained run, and what its ways of scoring cost.
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "evaluate_tables.h"
#include "number_checks.h"
#include "shared.h"
#include "vmr/eval/evaluation_document.h"
#include "vmr/pipeline/rankings.h"
#include "vmr/pipeline/variants.h"

namespace vmr::apps {
namespace {

using nlohmann::json;

constexpr eval::Ties kTies[] = {eval::Ties::index_ascending, eval::Ties::optimistic,
                                eval::Ties::pessimistic, eval::Ties::expected};

struct Options {
  Common common;
  std::string run, store, rankings;
  std::vector<std::string> protocols;
  std::string distance = "cosine", joint = "own", ties = eval::name_of(kTies[0]);
  pipeline::EvaluateOptions evaluate;
  eval::SampledOptions sampled{.negatives = 0};
  bool compare_variants = false;
  std::vector<int64_t> shortlists;
};

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
  for (const auto ties : kTies) {
    if (options.ties == eval::name_of(ties)) evaluate.ties = ties;
  }
  if (options.distance == "l2") evaluate.distance = Distance::l2;
  if (options.joint == "gallery_mean") evaluate.joint = model::PairScoring::gallery_mean;
  if (options.sampled.negatives > 0) {
    evaluate.sampled = options.sampled;
    evaluate.sampled->seed = options.common.seed;
  }
  return evaluate;
}

int run(const Options& options) {
  const auto evaluate = evaluate_options(options);
  require_writable("--rankings", options.rankings);
  const auto document = options.compare_variants
                            ? pipeline::compare_variants(options.run, options.store,
                                                         {evaluate, options.shortlists}, control())
                            : pipeline::evaluate(options.run, options.store, evaluate, control());
  end_progress();
  if (interrupted()) return kInterrupted;
  if (!options.rankings.empty()) {
    pipeline::write_rankings(pipeline::rank_split(options.run, options.store, evaluate),
                             options.rankings);
  }
  if (const auto left_out = document.value("left_out", int64_t(0)); left_out > 0) {
    std::cerr << left_out << " films of the split lack a feature or a track and are left out\n";
  }
  if (options.common.json) {
    print_json(document);
  } else if (options.compare_variants) {
    print_variants(document);
  } else {
    print_evaluation(document);
  }
  std::cout.flush();
  return report_protocols(document);
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
                  "tag_to_tag (oracle), video_to_tag, dam: by tags first; without it the "
                  "recipe's evaluate.protocol")
      ->delimiter(',')
      ->check(CLI::IsMember(protocols));
  app->add_option("--distance", options->distance, "between two items: cosine or l2")
      ->capture_default_str()
      ->check(CLI::IsMember({"cosine", "l2"}));
  app->add_option("--theta-weight", evaluate.theta_weight,
                  "weight of theta against rho, 0 to 1; without it the run's own")
      ->check(number(0, 1));
  app->add_option("--joint", options->joint,
                  "joint scores: own (each pair's vectors) or gallery_mean (as published)")
      ->capture_default_str()
      ->check(CLI::IsMember({"own", "gallery_mean"}));
  app->add_option("--truth", evaluate.truth,
                  "folder of a generated library: its hidden truth's recall is the ceiling");
  auto* sampled = app->add_option("--sampled-negatives", options->sampled.negatives,
                                  "figures of each true pair among so many items drawn at random: "
                                  "recall and NDCG at 10, 15, 20, 25")
                      ->check(whole_number(1));
  app->add_option("--repeats", options->sampled.repeats, "draws of them, averaged")
      ->capture_default_str()
      ->check(whole_number(1))
      ->needs(sampled);
  app->add_flag("--inverse-popularity", options->sampled.inverse_popularity,
                "a pair weighs 1 / films of its track")
      ->needs(sampled);
  std::vector<std::string> rules;
  for (const auto ties : kTies) rules.push_back(eval::name_of(ties));
  app->add_option("--ties", options->ties,
                  "rank of a right item whose score others have too: as a stable sort puts it, the "
                  "best, the worst or the mean of the possible")
      ->capture_default_str()
      ->check(CLI::IsMember(rules));
  app->add_option("--rankings", options->rankings,
                  "writes every query's ranking by independent embeddings: .json or .csv")
      ->check(CLI::Validator(
          [](std::string& path) {
            const auto ending = std::filesystem::path(path).extension();
            return ending == ".json" || ending == ".csv" ? "" : "must end in .json or .csv";
          },
          "FILE"));
  auto* compare =
      app->add_flag("--compare-variants", options->compare_variants,
                    "recall and time of independent, joint and shortlisted scores, both ways");
  app->add_option("--shortlist", options->shortlists, "lengths to compare")
      ->delimiter(',')
      ->check(whole_number(1))
      ->needs(compare);
  for (const char* other : {"--protocol", "--joint", "--truth", "--sampled-negatives"}) {
    compare->excludes(app->get_option(other));
  }
  return {app, [options] { return run(*options); }};
}

}  // namespace vmr::apps
