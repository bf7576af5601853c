// The parts of a Conformer block, each a residual unit x + factor * f(x). Children stand in
// containers named as the reference's wrappers are, so that keys agree; forward() fetches them by
// those names. Masks as everywhere: bool [batch, time], true = real, undefined = all real.
#pragma once

#include "vmr/nn/conformer.h"

namespace vmr::nn {

// x + 1/2 f(x), f: layer norm, linear, swish, dropout, linear, dropout.
class ConformerFeedForwardImpl : public torch::nn::Cloneable<ConformerFeedForwardImpl> {
 public:
  explicit ConformerFeedForwardImpl(const ConformerOptions& options_);
  void reset() override;
  at::Tensor forward(const at::Tensor& x);

  ConformerOptions options;
  torch::nn::ModuleDict module{nullptr};
};
TORCH_MODULE(ConformerFeedForward);

// x + f(x), f: layer norm, relative attention, dropout.
class ConformerAttentionImpl : public torch::nn::Cloneable<ConformerAttentionImpl> {
 public:
  explicit ConformerAttentionImpl(const ConformerOptions& options_);
  void reset() override;
  RelativeAttentionImpl& attention() { return module->at<RelativeAttentionImpl>("attention"); }
  at::Tensor forward(const at::Tensor& x, const at::Tensor& table, const at::Tensor& mask);

  ConformerOptions options;
  torch::nn::ModuleDict module{nullptr};
};
TORCH_MODULE(ConformerAttention);

// x + f(x), f: layer norm, pointwise convolution, gate, depthwise convolution, batch norm, swish,
// pointwise convolution, dropout. Padding is zeroed before the depthwise convolution and left out
// of the batch statistics.
class ConformerConvolutionImpl : public torch::nn::Cloneable<ConformerConvolutionImpl> {
 public:
  explicit ConformerConvolutionImpl(const ConformerOptions& options_);
  void reset() override;
  at::Tensor forward(const at::Tensor& x, const at::Tensor& mask);

  ConformerOptions options;
  torch::nn::ModuleDict module{nullptr};
};
TORCH_MODULE(ConformerConvolution);

class ConformerBlockImpl : public torch::nn::Cloneable<ConformerBlockImpl> {
 public:
  explicit ConformerBlockImpl(const ConformerOptions& options_);
  void reset() override;
  ConformerAttentionImpl& attention() { return *sequential->ptr<ConformerAttentionImpl>(1); }
  at::Tensor forward(const at::Tensor& x, const at::Tensor& table, const at::Tensor& mask);

  ConformerOptions options;
  torch::nn::ModuleList sequential{nullptr};
};
TORCH_MODULE(ConformerBlock);

}  // namespace vmr::nn
