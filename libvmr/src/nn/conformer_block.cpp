#include "nn/conformer_block.h"

namespace vmr::nn {
namespace {

using torch::nn::LayerNorm;
using torch::nn::ModuleDict;
using Children = std::vector<std::pair<std::string, std::shared_ptr<torch::nn::Module>>>;

ModuleDict named(const Children& children) { return ModuleDict(children); }

ModuleDict convolution(int64_t input, int64_t output, int64_t kernel, bool depthwise) {
  return named({{"conv", torch::nn::Conv1d(torch::nn::Conv1dOptions(input, output, kernel)
                                               .padding((kernel - 1) / 2)
                                               .groups(depthwise ? input : 1)
                                               .bias(!depthwise))
                             .ptr()}});
}

// A convolution of kernel 1 over [batch, time, channels]: no transposing.
at::Tensor pointwise(const torch::nn::Conv1dImpl& layer, const at::Tensor& x) {
  return apply_linear(x, layer.weight.squeeze(2), layer.bias);
}

}  // namespace

ConformerFeedForwardImpl::ConformerFeedForwardImpl(const ConformerOptions& options_)
    : options(options_) {
  reset();
}

void ConformerFeedForwardImpl::reset() {
  const auto dim = options.dim(), hidden = dim * options.feed_forward_expansion();
  torch::nn::Sequential sequential(LayerNorm(torch::nn::LayerNormOptions({dim})),
                                   Linear(dim, hidden), torch::nn::SiLU(),
                                   Dropout(options.feed_forward_dropout()), Linear(hidden, dim),
                                   Dropout(options.feed_forward_dropout()));
  module = register_module("module", named({{"sequential", sequential.ptr()}}));
}

at::Tensor ConformerFeedForwardImpl::forward(const at::Tensor& x) {
  return at::add(x, module->at<torch::nn::SequentialImpl>("sequential").forward(x), 0.5);
}

ConformerAttentionImpl::ConformerAttentionImpl(const ConformerOptions& options_)
    : options(options_) {
  reset();
}

void ConformerAttentionImpl::reset() {
  const RelativeAttention attention(RelativeAttentionOptions(options.dim(), options.heads())
                                        .positions(options.positions())
                                        .scale_by(options.scale_by())
                                        .dropout(options.attention_dropout()));
  const LayerNorm norm(torch::nn::LayerNormOptions({options.dim()}));
  const Dropout drop(options.attention_dropout());
  module = register_module(
      "module",
      named({{"layer_norm", norm.ptr()}, {"attention", attention.ptr()}, {"dropout", drop.ptr()}}));
}

at::Tensor ConformerAttentionImpl::forward(const at::Tensor& x, const at::Tensor& table,
                                           const at::Tensor& mask) {
  const auto normed = module->at<torch::nn::LayerNormImpl>("layer_norm").forward(x);
  const auto attended = attention().forward(normed, table, mask);
  return x + module->at<DropoutImpl>("dropout").forward(attended);
}

ConformerConvolutionImpl::ConformerConvolutionImpl(const ConformerOptions& options_)
    : options(options_) {
  reset();
}

void ConformerConvolutionImpl::reset() {
  const auto dim = options.dim(), wide = dim * options.conv_expansion();
  const LayerNorm norm(torch::nn::LayerNormOptions({dim}));
  const torch::nn::BatchNorm1d batch_norm(wide / 2);
  const Dropout drop(options.conv_dropout());
  // The gaps in the numbers are steps without parameters: transpose, gate, swish.
  const auto sequential =
      named({{"0", norm.ptr()},
             {"2", convolution(dim, wide, 1, false).ptr()},
             {"4", convolution(wide / 2, wide / 2, options.kernel(), true).ptr()},
             {"5", batch_norm.ptr()},
             {"7", convolution(wide / 2, dim, 1, false).ptr()},
             {"8", drop.ptr()}});
  module = register_module("module", named({{"sequential", sequential.ptr()}}));
}

at::Tensor ConformerConvolutionImpl::forward(const at::Tensor& x, const at::Tensor& mask) {
  auto& parts = module->at<torch::nn::ModuleDictImpl>("sequential");
  const auto conv = [&](const char* key) -> torch::nn::Conv1dImpl& {
    return parts.at<torch::nn::ModuleDictImpl>(key).at<torch::nn::Conv1dImpl>("conv");
  };
  auto& batch_norm = parts.at<torch::nn::BatchNorm1dImpl>("5");

  auto gated =
      at::glu(pointwise(conv("2"), parts.at<torch::nn::LayerNormImpl>("0").forward(x)), /*dim=*/2);
  if (mask.defined()) gated = gated.masked_fill(mask.logical_not().unsqueeze(2), 0);
  auto y = conv("4").forward(gated.transpose(1, 2));
  if (mask.defined() && is_training()) {
    y = y.transpose(1, 2);
    y = at::zeros_like(y).masked_scatter(mask.unsqueeze(2), batch_norm.forward(y.index({mask})));
  } else {
    y = batch_norm.forward(y).transpose(1, 2);
  }
  return x + parts.at<DropoutImpl>("8").forward(pointwise(conv("7"), at::silu(y)));
}

ConformerBlockImpl::ConformerBlockImpl(const ConformerOptions& options_) : options(options_) {
  reset();
}

void ConformerBlockImpl::reset() {
  sequential = register_module(
      "sequential",
      torch::nn::ModuleList(ConformerFeedForward(options), ConformerAttention(options),
                            ConformerConvolution(options), ConformerFeedForward(options),
                            LayerNorm(torch::nn::LayerNormOptions({options.dim()}))));
}

at::Tensor ConformerBlockImpl::forward(const at::Tensor& x, const at::Tensor& table,
                                       const at::Tensor& mask) {
  auto y = sequential->ptr<ConformerFeedForwardImpl>(0)->forward(x);
  y = attention().forward(y, table, mask);
  y = sequential->ptr<ConformerConvolutionImpl>(2)->forward(y, mask);
  y = sequential->ptr<ConformerFeedForwardImpl>(3)->forward(y);
  return sequential->ptr<torch::nn::LayerNormImpl>(4)->forward(y);
}

}  // namespace vmr::nn
