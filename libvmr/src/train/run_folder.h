// The folder of one training run: who may write it, what it was made with, its checkpoints.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "vmr/core/run_control.h"
#include "vmr/nn/linear.h"
#include "vmr/train/trainer.h"

namespace vmr::train {

class RunFolder {
 public:
  // Makes the folder where absent and locks it. A new one gets run.json; an old one must have been
  // made with equal options and an equal task. While it lives, an old one's linear kernel is the
  // process's.
  // Throws: InvalidArgument naming each difference; StoreError where another process trains in it.
  RunFolder(std::filesystem::path folder, const TrainerOptions& options, TrainingTask& task,
            const RunControl& control);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::filesystem::path& path() const { return folder_; }
  const nlohmann::json& model() const { return model_; }  // the task's description
  static std::string checkpoint_name(int64_t step);
  std::filesystem::path checkpoint_path(const std::string& name) const;

  // Out of the way of later runs, kept for a person to look at.
  void set_aside(const std::filesystem::path& checkpoint) const;
  // Removes all but the newest `keep` checkpoints and the best.
  void prune(int64_t keep, const std::string& best) const;
  void write_best(const std::string& name, int64_t epoch, const std::string& figure,
                  double value) const;

 private:
  std::filesystem::path folder_;
  nlohmann::json model_;
  int lock_ = -1;
  std::optional<nn::LinearBackend> backend_before_;  // of the process, where the run's is another
};

}  // namespace vmr::train
