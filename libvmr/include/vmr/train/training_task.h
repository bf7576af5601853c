// TrainingTask: what a Trainer trains. Conformer pre-training, taggers and every MatchingModel
// supply one. The batch of a step is a function of (epoch, step, seed) alone, so a run that was cut
// resumes with the batch it would have had. Not thread-safe.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <map>
#include <string>

#include "vmr/loss/terms.h"

namespace vmr::train {

class TrainingTask {
 public:
  virtual ~TrainingTask() = default;

  // The module whose parameters are optimised and saved; its parameter names are the checkpoint's
  // keys.
  virtual torch::nn::Module& module() = 0;
  virtual int64_t steps_per_epoch() const = 0;
  // Prepares the order of an epoch's batches from (seed, epoch). Called before its first step, also
  // when an epoch is entered in the middle.
  virtual void begin_epoch(int64_t epoch, uint64_t seed) = 0;
  // Forward pass of batch `step` of the epoch in training mode.
  virtual loss::Terms step(int64_t step) = 0;
  // Figures over the held-out data in evaluation mode, name -> value ("loss", "accuracy", ...).
  virtual std::map<std::string, double> validate() = 0;
  // The figure of validate() that picks the best checkpoint, and whether larger is better.
  virtual std::string best_figure() const { return "loss"; }
  virtual bool larger_is_better() const { return false; }
  // JSON object from which the module can be rebuilt; goes into checkpoints.
  virtual std::string describe() const { return "{}"; }
  // JSON object of whatever else changes results (data, sampler). A run folder made for another
  // description or other settings is refused.
  virtual std::string settings() const { return "{}"; }
};

}  // namespace vmr::train
