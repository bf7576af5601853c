// The fully connected net UT-CMVMR (arXiv 2309.09421) uses for every change of space.
//   hidden > 0: linear, batch norm (momentum 0.1), sigmoid, linear, batch norm (`momentum`), ReLU,
//               linear
//   hidden = 0: linear, batch norm (momentum 0.1), ReLU, linear
// Checkpoint keys are those of the reference ("net.0.weight", ...). Thread-safe in eval().
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/arg.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/pimpl.h>

#include "vmr/nn/dropout.h"
#include "vmr/nn/initialise.h"

namespace vmr::nn {

struct EmbeddingNetOptions {
  EmbeddingNetOptions(int64_t input_dim, int64_t output_dim)
      : input_dim_(input_dim), output_dim_(output_dim) {}
  TORCH_ARG(int64_t, input_dim);
  TORCH_ARG(int64_t, output_dim);
  TORCH_ARG(int64_t, hidden) = 0;
  TORCH_ARG(double, momentum) = 0.55;  // weight of the new batch in the second norm's averages
  TORCH_ARG(double, dropout) = 0.0;    // after each activation
  TORCH_ARG(Initialisation, initialisation) = Initialisation::he_normal;
};

class EmbeddingNetImpl : public torch::nn::Cloneable<EmbeddingNetImpl> {
 public:
  // Throws: InvalidArgument for options out of range.
  explicit EmbeddingNetImpl(const EmbeddingNetOptions& options_);
  void reset() override;

  // [batch, input_dim] -> [batch, output_dim]. Requires: batch > 1 in training (batch statistics).
  at::Tensor forward(const at::Tensor& x);

  EmbeddingNetOptions options;
  torch::nn::Sequential net{nullptr};
  Dropout dropout{nullptr};
};
TORCH_MODULE(EmbeddingNet);

}  // namespace vmr::nn
