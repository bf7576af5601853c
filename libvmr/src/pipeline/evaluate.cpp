// Evaluation of a matching run: independent and joint scores beside the hidden truth's ceiling.
#include <torch/torch.h>

#include <algorithm>

#include "vmr/core/error.h"
#include "vmr/data/pair_dataset.h"
#include "vmr/eval/evaluation_document.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/pipeline/runs.h"
#include "vmr/synth/library.h"
#include "vmr/train/embed_dataset.h"
#include "vmr/train/matching_task.h"

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

}  // namespace

json evaluate(const std::filesystem::path& run_folder, const std::filesystem::path& store_folder,
              const EvaluateOptions& options, const RunControl& control) {
  const auto run = open_matching_run(run_folder, options.device);
  const auto store = store::FeatureStore::open(store_folder);
  const auto manifest = stored_manifest(*store);
  auto dataset = train::dataset_options(run.model->inputs(), options.split);
  dataset.unused_tracks = true;
  // Without the tags: films of new tags are queries like others.
  const data::PairDataset items(*store, manifest, dataset, {}, control);

  eval::EvaluationOptions evaluation;
  evaluation.ks = run.recipe.evaluate.ks;
  evaluation.resamples = options.resamples;
  evaluation.seed = options.seed;
  const auto scores = train::embedding_scores(train::embed_films(*run.model, items),
                                              train::embed_music(*run.model, items));
  json document = eval::evaluation_document(scores, items.track_of_film(), evaluation);
  document["recipe"] = run.recipe.name;
  document["split"] = options.split;
  document["weights_hash"] = run.weights_hash;
  document["left_out"] = items.missing().size();
  train::JointOptions joint_options;
  const bool whole = int64_t(items.tracks().size()) <= options.joint_limit;
  if (!whole) joint_options.shortlist = options.joint_shortlist;
  const auto joint = train::joint_scores(*run.model, items, scores, joint_options, control);
  if (joint) {
    document["joint"] = eval::evaluation_document(*joint, items.track_of_film(), evaluation);
    document["joint"]["shortlist"] = joint_options.shortlist;
  }
  if (!options.truth.empty()) {
    document["ceiling"] = ceiling_document(options, manifest, items, evaluation);
  }
  return document;
}

}  // namespace vmr::pipeline
