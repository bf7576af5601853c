// Evaluation of a matching run: independent and joint scores beside the hidden truth's ceiling.
#include <torch/torch.h>

#include <algorithm>

#include "pipeline/embed_items.h"
#include "vmr/core/device.h"
#include "vmr/core/error.h"
#include "vmr/data/pair_dataset.h"
#include "vmr/eval/evaluation_document.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/pipeline/runs.h"
#include "vmr/synth/library.h"
#include "vmr/train/matching_task.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;

// Films scored at a time; each costs a forward pass over the whole gallery.
constexpr int64_t kJointFilms = 16;

at::Tensor joint_scores(model::MatchingModel& model, const data::PairDataset& items,
                        const c10::Device& device, const RunControl& control) {
  const torch::NoGradGuard no_grad;
  const auto films = int64_t(items.films().size()), tracks = int64_t(items.tracks().size());
  std::vector<int64_t> all_tracks(static_cast<size_t>(tracks));
  for (int64_t i = 0; i < tracks; ++i) all_tracks[size_t(i)] = i;
  const auto move = [&](data::FeatureMap features) {
    for (auto& [name, feature] : features) {
      feature.values = feature.values.to(device);
      feature.mask = feature.mask.to(device);
    }
    return features;
  };
  const auto music = move(items.collate_music(all_tracks));
  std::vector<at::Tensor> rows;
  for (int64_t begin = 0; begin < films; begin += kJointFilms) {
    std::vector<int64_t> batch;
    for (int64_t i = begin; i < std::min(films, begin + kJointFilms); ++i) batch.push_back(i);
    const auto scores = model.score_pairs(move(items.collate_video(batch)), music);
    if (!scores) return {};
    rows.push_back(scores->to(torch::kCPU));
    control.progress({"joint scores", std::min(films, begin + kJointFilms), films, ""});
    if (control.stop.stop_requested()) return {};
  }
  return torch::cat(rows);
}

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
  const auto device = resolve_device(options.device);
  const auto store = store::FeatureStore::open(store_folder);
  const auto manifest = stored_manifest(*store);
  auto dataset = train::dataset_options(run.model->inputs(), options.split);
  dataset.unused_tracks = true;
  const data::PairDataset items(*store, manifest, dataset, run.tags, control);

  eval::EvaluationOptions evaluation;
  evaluation.ks = run.recipe.evaluate.ks;
  evaluation.resamples = options.resamples;
  evaluation.seed = options.seed;
  const auto scores = embedding_scores(embed_all_films(*run.model, items, device),
                                       embed_all_music(*run.model, items, device));
  json document = eval::evaluation_document(scores, items.track_of_film(), evaluation);
  document["recipe"] = run.recipe.name;
  document["split"] = options.split;
  document["weights_hash"] = run.weights_hash;
  document["left_out"] = items.missing().size();
  if (int64_t(items.tracks().size()) <= options.joint_limit) {
    const auto joint = joint_scores(*run.model, items, device, control);
    if (joint.defined()) {
      document["joint"] = eval::evaluation_document(joint, items.track_of_film(), evaluation);
    }
  }
  if (!options.truth.empty()) {
    document["ceiling"] = ceiling_document(options, manifest, items, evaluation);
  }
  return document;
}

}  // namespace vmr::pipeline
