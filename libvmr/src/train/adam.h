// Adam (Kingma and Ba 2015) over the parameters of a module, with L2 weight decay added to the
// gradient and clipping by global norm. Own state by parameter name, because a run must resume from
// it to the same bits; the arithmetic is LibTorch's fused kernel.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <string>
#include <vector>

#include "vmr/train/checkpoint.h"
#include "vmr/train/trainer.h"

namespace vmr::train {

class Adam {
 public:
  Adam(const torch::nn::Module& module, const TrainerOptions& options);

  void clear_gradients();
  // Scales gradients so that their global norm is at most clip_norm; returns the norm before.
  double clip_gradients();
  // Parameters without a gradient stay as they are and do not count the step.
  void step(double learning_rate);

  // Adds "exp_avg.<name>", "exp_avg_sq.<name>" and "step.<name>" of parameters that had a step.
  void save(TrainerState& state) const;
  // Throws: StoreError where `state` does not fit the parameters.
  void load(const TrainerState& state);

 private:
  struct Parameter {
    std::string name;
    at::Tensor value;
    at::Tensor exp_avg, exp_avg_sq, step;  // undefined before the first step
  };
  std::vector<Parameter> parameters_;
  double beta1_, beta2_, epsilon_, weight_decay_, clip_norm_;
};

}  // namespace vmr::train
