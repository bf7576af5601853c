// A small training task with dropout and batch normalisation, so that random state and buffers
// matter, over numbers made by a formula; and what tests of runs need beside it.
#pragma once

#include <torch/nn/modules/container/sequential.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "vmr/train/trainer.h"
#include "vmr/train/training_task.h"

namespace vmr::train {

class ToyTask : public TrainingTask {
 public:
  static constexpr int64_t kSteps = 5;  // an epoch

  // Weights drawn from `weight_seed`. Each step takes at least `pause` long.
  explicit ToyTask(uint64_t weight_seed = 1, std::chrono::milliseconds pause = {});

  torch::nn::Module& module() override { return *net_; }
  int64_t steps_per_epoch() const override { return kSteps; }
  void begin_epoch(int64_t epoch, uint64_t seed) override;
  loss::Terms step(int64_t step) override;  // terms "square" (weight 1) and "size" (weight 0.01)
  std::map<std::string, double> validate() override;
  std::string best_figure() const override { return best_figure_name; }
  std::string describe() const override { return R"({"kind": "toy"})"; }
  std::string settings() const override { return R"({"rows": 32})"; }

  std::string best_figure_name = "loss";
  std::function<void(int64_t step)> before_step;        // called with the step of the epoch
  std::function<double(int64_t epoch)> figure_instead;  // replaces the validation loss
  int64_t epochs_begun = 0;

 private:
  torch::nn::Sequential net_;
  std::chrono::milliseconds pause_;
  int64_t epoch_ = 0;
  uint64_t seed_ = 0;
};

// A folder that is removed with it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }
  operator const std::filesystem::path&() const { return path_; }

 private:
  std::filesystem::path path_;
};

// What the child of the kill test does, too: 8 epochs, checkpoints every 3 steps.
TrainerOptions killed_run_options();

// "step" and "epoch" events of a run's events.jsonl: the steps they carry, in order.
std::vector<int64_t> logged_steps(const std::filesystem::path& run_folder, const std::string& kind);

}  // namespace vmr::train
