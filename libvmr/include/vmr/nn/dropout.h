// Dropout (Srivastava et al. 2014): in training each value is zeroed with probability p and the
// others are divided by 1 - p, so that the expectation stays; otherwise the input itself. For
// float32 on the CPU the choice of value i is output i of a counter-based generator (Threefry
// 4x32-20, Salmon et al. 2011) whose key is one draw from torch's default generator: no mask is
// stored, the backward pass makes the same choices again, and they do not depend on the number of
// threads. Elsewhere it is torch's dropout. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/options/dropout.h>
#include <torch/nn/pimpl.h>

namespace vmr::nn {

// Requires: 0 <= probability < 1. Draws from the generator only where training and probability > 0.
at::Tensor apply_dropout(const at::Tensor& x, double probability, bool training);

class DropoutImpl : public torch::nn::Cloneable<DropoutImpl> {
 public:
  // Throws: InvalidArgument for a probability outside [0, 1).
  explicit DropoutImpl(const torch::nn::DropoutOptions& options_ = {});
  void reset() override {}
  at::Tensor forward(const at::Tensor& x) { return apply_dropout(x, options.p(), is_training()); }

  torch::nn::DropoutOptions options;
};
TORCH_MODULE(Dropout);

}  // namespace vmr::nn
