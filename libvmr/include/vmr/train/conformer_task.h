// ConformerPretraining: classifies single clips by their item's label; the trained Conformer's mean
// output is the clip feature of matching models (UT-CMVMR, sections 10 and 11 of its reference).
// Cross entropy; figures "loss" (mean over clips) and "accuracy" on the held-out split.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "vmr/data/clip_dataset.h"
#include "vmr/nn/conformer.h"
#include "vmr/train/training_task.h"

namespace vmr::train {

struct ConformerTaskOptions {
  // JSON object of what the clips were made from: a run goes on with the same only.
  std::string data = "{}";
  // As published: dropout and batch statistics in validate(), which also move running averages.
  bool validate_in_training = false;
};

class ConformerPretraining : public TrainingTask {
 public:
  // The data sets must outlive the task; `valid` may be null. Batches go to the device of the
  // Conformer's parameters. Throws: InvalidArgument where the data sets' classes differ from each
  // other or from the Conformer's number of classes.
  ConformerPretraining(nn::Conformer conformer, const data::ClipDataset& train,
                       const data::ClipDataset* valid, ConformerTaskOptions options = {});

  torch::nn::Module& module() override { return *conformer_; }
  int64_t steps_per_epoch() const override { return train_->batches_per_epoch(); }
  void begin_epoch(int64_t epoch, uint64_t seed) override;
  loss::Terms step(int64_t step) override;
  std::map<std::string, double> validate() override;
  // Cross entropy grows again long before the embeddings get worse; accuracy follows them.
  std::string best_figure() const override { return "accuracy"; }
  bool larger_is_better() const override { return true; }
  // {"kind": "conformer", "options": to_json(options), "classes": [names]}
  std::string describe() const override;
  std::string settings() const override;

 private:
  nn::Conformer conformer_;
  const data::ClipDataset* train_;
  const data::ClipDataset* valid_;
  const ConformerTaskOptions options_;
  std::vector<std::vector<int64_t>> batches_;
};

// Options as they stand in a checkpoint's model.json under "options", and back.
// Throws: InvalidArgument for unknown keys and wrong types, naming `file`.
nlohmann::json to_json(const nn::ConformerOptions& options);
nn::ConformerOptions conformer_options(const nlohmann::json& json, const std::string& file);

}  // namespace vmr::train
