// Evaluation of a matching run: independent and joint scores beside the hidden truth's ceiling.
#include <torch/torch.h>

#include <algorithm>

#include "pipeline/protocols.h"
#include "vmr/core/error.h"
#include "vmr/data/pair_dataset.h"
#include "vmr/eval/evaluation_document.h"
#include "vmr/synth/library.h"
#include "vmr/train/embed_dataset.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;

// The ceiling's rows and columns follow the manifest; the data set may lack items.
json ceiling_document(const EvaluateOptions& options, const store::Manifest& manifest,
                      const data::PairDataset& items, const eval::EvaluationOptions& evaluation) {
  const auto scores = synth::hidden_truth_scores(options.truth, options.split);
  const auto index_of = [&](const std::string& kind, const std::vector<std::string>& ids) {
    std::vector<int64_t> rows;
    const auto all = manifest.of(kind, options.split);
    for (const auto& id : ids) {
      for (size_t i = 0; i < all.size(); ++i) {
        if (all[i]->id == id) rows.push_back(int64_t(i));
      }
    }
    return torch::tensor(rows, torch::kLong);
  };
  const auto films = index_of("film", items.films()), tracks = index_of("music", items.tracks());
  VMR_CHECK(films.size(0) == int64_t(items.films().size()) && films.numel() > 0 &&
                films.max().item<int64_t>() < scores.size(0) &&
                tracks.size(0) == int64_t(items.tracks().size()) &&
                tracks.max().item<int64_t>() < scores.size(1),
            "evaluate: the truth in ", options.truth.string(),
            " is not of the library this store was made from");
  return eval::evaluation_document(scores.index_select(0, films).index_select(1, tracks),
                                   items.track_of_film(), evaluation);
}

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

// What the run cannot do is said before the items are embedded.
void check_options(const EvaluateOptions& options, const Evaluated& opened) {
  for (const auto protocol : options.protocols) {
    check_protocol(protocol, opened.run, opened.items);
  }
  VMR_CHECK(options.joint != model::PairScoring::gallery_mean || has_joint_scores(opened), "a ",
            opened.model->kind(),
            " model has no joint scores; gallery_mean is for models with cross attention "
            "(ut_cmvmr)");
}

}  // namespace

json evaluate(const std::filesystem::path& run_folder, const std::filesystem::path& store_folder,
              const EvaluateOptions& options, const RunControl& control) {
  const auto opened = open_for_evaluation(run_folder, store_folder, options, control);
  const auto& items = opened.items;
  auto& model = *opened.model;
  check_options(options, opened);

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
  const bool mean = options.joint == model::PairScoring::gallery_mean;
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
  document["recipe"] = opened.run.recipe.name;
  document["split"] = options.split;
  document["weights_hash"] = opened.run.weights_hash;
  document["left_out"] = items.missing().size();
  document["distance"] = options.distance == model::Distance::cosine ? "cosine" : "l2";
  if (const auto config = model.config(); config.contains("theta_weight")) {
    document["theta_weight"] = config.at("theta_weight");
  }
  for (const auto protocol : options.protocols) {
    if (protocol == Protocol::full || control.stop.stop_requested()) continue;
    const TagRanking ranking(protocol, opened, embedded, control);
    auto& part = document["protocols"][name_of(protocol)];
    part = documents(scores, joint, about_joint, items, evaluation,
                     [&](const at::Tensor& all) { return ranking.of(all); });
    part["oracle"] = protocol == Protocol::tag_to_tag;
  }
  if (!options.truth.empty()) {
    document["ceiling"] = ceiling_document(options, opened.manifest, items, evaluation);
  }
  return document;
}

}  // namespace vmr::pipeline
