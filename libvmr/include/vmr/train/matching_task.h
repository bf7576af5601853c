// MatchingTask: trains any MatchingModel on pairs of films and tracks. Figures on the held-out
// split: "loss" and "loss_<term>" over all its pairs with fixed negatives, and hit recall over its
// full gallery in both directions from the independent embeddings, "recall_1" ... for video to
// music, "music_recall_1" ... for music to video, in 0..1; "log_rank" is the mean natural logarithm
// of the rank, the mean of both directions, 0 when every rank is 1. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vmr/data/pair_dataset.h"
#include "vmr/data/sampler.h"
#include "vmr/model/matching_model.h"
#include "vmr/train/training_task.h"

namespace vmr::train {

struct MatchingTaskOptions {
  data::SamplerOptions sampler;
  std::vector<int64_t> recall_at = {1, 5, 10, 25};
  // Of validate(); "loss..." and "log_rank": smaller is better. Every rank moves the default, where
  // recall in a small gallery is soon full and takes a checkpoint of the first epochs.
  std::string best_figure = "log_rank";
  // Films or tracks embedded at a time: changes no recall, but a loss over in-batch negatives.
  int64_t validation_batch = 1024;
  uint64_t validation_seed = 29;  // of the fixed negatives
  // JSON object of what the features were made from: a run goes on with the same only.
  std::string data = "{}";
  // As published: dropout and batch statistics in the losses of validate(), which also move the
  // running averages.
  bool validate_in_training = false;
};

class MatchingTask : public TrainingTask {
 public:
  // The data sets must outlive the task; `valid` may be null. Batches go to the device of the
  // model's parameters. A held-out split of which some film has no negative (all films of other
  // tags have its track) has no losses where the model needs negatives. Throws: InvalidArgument
  // where it needs them and the training films have one tag only or such a film, or text and the
  // data sets have none of its dimension.
  MatchingTask(std::shared_ptr<model::MatchingModel> model, const data::PairDataset& train,
               const data::PairDataset* valid, MatchingTaskOptions options = {});

  torch::nn::Module& module() override { return *model_; }
  int64_t steps_per_epoch() const override;
  void begin_epoch(int64_t epoch, uint64_t seed) override;
  loss::Terms step(int64_t step) override;
  std::map<std::string, double> validate() override;
  std::string best_figure() const override { return options_.best_figure; }
  bool larger_is_better() const override;
  std::string describe() const override;  // the model's config()
  std::string settings() const override;

 private:
  std::map<std::string, double> recalls() const;
  void add_losses(std::map<std::string, double>& figures);

  std::shared_ptr<model::MatchingModel> model_;
  const data::PairDataset* train_;
  const data::PairDataset* valid_;
  MatchingTaskOptions options_;
  std::optional<data::NegativeSampler> negatives_, valid_negatives_;
  std::vector<std::vector<int64_t>> batches_;
  int64_t epoch_ = 0;
  uint64_t seed_ = 0;
};

// The options of a PairDataset that feeds a model: its inputs' features and row limits.
data::PairDatasetOptions dataset_options(const model::ModelInputs& inputs,
                                         const std::string& split);

}  // namespace vmr::train
