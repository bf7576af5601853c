// A small pre-norm transformer: per layer x += attention(norm(x)), x += feed_forward(norm(x)) with
// GELU, then one linear layer. It encodes clip sequences in UT-CMVMR (arXiv 2309.09421; 3 heads of
// width 1 there) and lets a music and a video vector look at each other (3 heads of width 100).
// It adds no positions. Checkpoint keys are those of the reference. Departure: heads are always
// projected out, also for one head as wide as the model. Thread-safe in eval().
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/arg.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/pimpl.h>

#include "vmr/nn/initialise.h"
#include "vmr/nn/linear.h"

namespace vmr::nn {

struct TransformerEncoderOptions {
  TransformerEncoderOptions(int64_t dim, int64_t output_dim) : dim_(dim), output_dim_(output_dim) {}
  TORCH_ARG(int64_t, dim);
  TORCH_ARG(int64_t, output_dim);
  TORCH_ARG(int64_t, layers) = 1;
  TORCH_ARG(int64_t, heads) = 3;
  TORCH_ARG(int64_t, head_width) = 1;
  TORCH_ARG(int64_t, feed_forward) = 1024;
  TORCH_ARG(double, dropout) = 0.8;  // drop probability after attention and in the feed-forward
  TORCH_ARG(Initialisation, initialisation) = Initialisation::he_normal;
};

class TransformerEncoderImpl : public torch::nn::Cloneable<TransformerEncoderImpl> {
 public:
  // Throws: InvalidArgument for options out of range.
  explicit TransformerEncoderImpl(const TransformerEncoderOptions& options_);
  void reset() override;

  // x [batch, time, dim], mask [batch, time] bool.
  // forward -> [batch, time, output_dim].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& mask = {});
  // The mean of forward() over real steps, [batch, output_dim], with the last layer applied once.
  at::Tensor mean(const at::Tensor& x, const at::Tensor& mask = {});
  // Step `row` of forward(), [batch, output_dim], without the work of the others.
  at::Tensor row(const at::Tensor& x, int64_t row);

  TransformerEncoderOptions options;
  torch::nn::ModuleList layers{nullptr};
  Linear final_linear{nullptr};

 private:
  at::Tensor hidden(at::Tensor x, const at::Tensor& mask, int64_t only_row);
};
TORCH_MODULE(TransformerEncoder);

}  // namespace vmr::nn
