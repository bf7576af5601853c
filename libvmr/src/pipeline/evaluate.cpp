// Evaluation of a matching run: independent and joint scores beside the hidden truth's ceiling.
#include <torch/torch.h>

#include <algorithm>

#include "pipeline/protocols.h"
#include "pipeline/truth_ceiling.h"
#include "vmr/core/error.h"
#include "vmr/data/pair_dataset.h"
#include "vmr/eval/evaluation_document.h"
#include "vmr/train/embed_dataset.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;

// Independent scores and, where the model has them, joint ones, each as it is or ranked by tags.
template <typename Ranking>
json documents(const at::Tensor& scores, const std::optional<at::Tensor>& joint,
               const json& about_joint, const data::PairDataset& items,
               const eval::EvaluationOptions& options, const Ranking& ranking) {
  auto document = eval::evaluation_document(ranking(scores), items.track_of_film(), options);
  if (joint) {
    document["joint"] = eval::evaluation_document(ranking(*joint), items.track_of_film(), options);
    document["joint"].update(about_joint);
  }
  return document;
}

struct Protocols {
  std::vector<Protocol> possible;
  std::vector<ItemFailure> failures;  // id: "dam"
};

// One that cannot be done does not cost the others, unless it was all that was asked for.
Protocols sort_out(const EvaluateOptions& options, const EvaluationSource& source) {
  Protocols sorted;
  if (options.protocols.empty()) return sorted;
  const auto films = tagged_films(source, options.split);
  for (const auto protocol : options.protocols) {
    try {
      check_protocol(protocol, source.run, films);
      sorted.possible.push_back(protocol);
    } catch (const InvalidArgument& error) {
      sorted.failures.push_back({name_of(protocol), error.what()});
    }
  }
  std::string reasons;
  for (const auto& failure : sorted.failures) {
    reasons += (reasons.empty() ? "" : "\n") + failure.reason;
  }
  VMR_CHECK(!sorted.possible.empty(), reasons);
  return sorted;
}

json to_json(const std::vector<ItemFailure>& failures) {
  auto list = json::array();
  for (const auto& failure : failures) {
    list.push_back({{"protocol", failure.id}, {"reason", failure.reason}});
  }
  return list;
}

}  // namespace

json evaluate(const std::filesystem::path& run_folder, const std::filesystem::path& store_folder,
              const EvaluateOptions& options, const RunControl& control) {
  // Whatever is wrong with what was asked for is said before the items are loaded.
  auto source = open_source(run_folder, store_folder, options);
  const bool mean = options.joint == model::PairScoring::gallery_mean;
  VMR_CHECK(!mean || has_joint_scores(source), "a ", source.model->kind(),
            " model has no joint scores; gallery_mean is for models with cross attention "
            "(ut_cmvmr)");
  const auto protocols = sort_out(options, source);
  std::optional<TruthCeiling> ceiling;
  if (!options.truth.empty()) ceiling.emplace(options.truth, options.split, source.manifest);
  const auto opened = load_items(std::move(source), options, control);
  const auto& items = opened.items;
  auto& model = *opened.model;

  eval::EvaluationOptions evaluation;
  evaluation.ks = opened.run.recipe.evaluate.ks;
  evaluation.resamples = options.resamples;
  evaluation.seed = options.seed;
  const auto embedded = embed_items(opened);
  const auto scores = train::embedding_scores(embedded.films, embedded.tracks, model.score_slices(),
                                              options.distance);
  train::JointOptions joint_options;
  joint_options.scoring = options.joint;
  joint_options.distance = options.distance;
  const bool whole = mean || int64_t(items.tracks().size()) <= options.joint_limit;
  if (!whole) joint_options.shortlist = options.joint_shortlist;
  std::optional<at::Tensor> joint;
  if (embedded.prepared_tracks) {
    joint = train::joint_scores(model, *embedded.prepared_films, *embedded.prepared_tracks, scores,
                                joint_options, control);
  }
  const json about_joint = {{"shortlist", joint_options.shortlist},
                            {"scoring", mean ? "gallery_mean" : "own"}};

  auto document = documents(scores, joint, about_joint, items, evaluation,
                            [](const at::Tensor& all) { return all; });
  document.update(about(opened, options));
  for (const auto protocol : protocols.possible) {
    if (protocol == Protocol::full || control.stop.stop_requested()) continue;
    const TagRanking ranking(protocol, opened, embedded, control);
    auto& part = document["protocols"][name_of(protocol)];
    part = documents(scores, joint, about_joint, items, evaluation,
                     [&](const at::Tensor& all) { return ranking.of(all); });
    part["oracle"] = protocol == Protocol::tag_to_tag;
  }
  if (!protocols.failures.empty()) document["failures"] = to_json(protocols.failures);
  if (ceiling) document["ceiling"] = ceiling->document(items, evaluation);
  return document;
}

}  // namespace vmr::pipeline
