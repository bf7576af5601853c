// Conformer encoder (Gulati et al., arXiv 2005.08100) with a classification head over the mean of
// its last block: the clip encoder of UT-CMVMR (arXiv 2309.09421) for filter banks [398, 80] and
// grey frame strips [224, 896]. Two convolutions of stride 2 shorten time and features to a
// quarter, a linear layer joins them, then come blocks of half feed-forward, relative attention,
// convolution, half feed-forward and layer norm. Checkpoint keys are those of the reference, less
// its constant position tables. Departure: a mask makes outputs independent of padding, in training
// too (batch statistics of real steps only). forward() and embed() are thread-safe in eval().
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/arg.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/modules/container/moduledict.h>
#include <torch/nn/pimpl.h>

#include "vmr/nn/linear.h"
#include "vmr/nn/relative_attention.h"

namespace vmr::nn {

struct ConformerOptions {
  // input_dim: features of a step (80 mel bands, 896 pixels), at least 7. Defaults below are the
  // audio encoder's of the paper.
  ConformerOptions(int64_t input_dim, int64_t classes) : input_dim_(input_dim), classes_(classes) {}
  TORCH_ARG(int64_t, input_dim);
  TORCH_ARG(int64_t, classes);
  TORCH_ARG(int64_t, dim) = 512;
  TORCH_ARG(int64_t, layers) = 6;
  TORCH_ARG(int64_t, heads) = 8;
  TORCH_ARG(int64_t, feed_forward_expansion) = 4;
  TORCH_ARG(int64_t, conv_expansion) = 2;  // even; half of it is left after the gate
  TORCH_ARG(int64_t, kernel) = 31;         // of the depthwise convolution, odd
  TORCH_ARG(double, input_dropout) = 0.1;
  TORCH_ARG(double, feed_forward_dropout) = 0.1;
  TORCH_ARG(double, attention_dropout) = 0.1;
  TORCH_ARG(double, conv_dropout) = 0.1;
  TORCH_ARG(RelPosMode, positions) = RelPosMode::ut_cmvmr;
  TORCH_ARG(ScoreScale, scale_by) = ScoreScale::model;
  TORCH_ARG(double, input_scale) = 1.0;  // input is multiplied by it: 1/255 for pixels
};

// Steps after the two convolutions: 398 -> 98, 224 -> 55; 0 where fewer than 7.
int64_t conformer_steps(int64_t input_steps);

class ConformerImpl : public torch::nn::Cloneable<ConformerImpl> {
 public:
  // Throws: InvalidArgument for options out of range.
  explicit ConformerImpl(const ConformerOptions& options_);
  void reset() override;

  // x [batch, steps, input_dim] any real dtype (uint8 pixels are converted), mask [batch, steps]
  // bool. Requires: at least 7 real steps in each item. Throws: InvalidArgument.
  // forward -> [batch, classes] logits; embed -> [batch, dim] clip embeddings;
  // encode -> [batch, conformer_steps(steps), dim] last block, with the mask of its steps in
  // `encoded_mask` (undefined where `mask` is).
  at::Tensor forward(const at::Tensor& x, const at::Tensor& mask = {});
  at::Tensor embed(const at::Tensor& x, const at::Tensor& mask = {});
  at::Tensor encode(const at::Tensor& x, const at::Tensor& mask, at::Tensor& encoded_mask);

  ConformerOptions options;
  torch::nn::ModuleDict encoder{nullptr};  // conv_subsample, input_projection, layers
  Linear classification{nullptr};
};
TORCH_MODULE(Conformer);

}  // namespace vmr::nn
