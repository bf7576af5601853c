#include "vmr/nn/transformer_encoder.h"

#include <cmath>

#include "vmr/core/error.h"
#include "vmr/nn/dropout.h"
#include "vmr/nn/masked_mean.h"

namespace vmr::nn {
namespace {

using Children = std::vector<std::pair<std::string, std::shared_ptr<torch::nn::Module>>>;

// x -> dropout(out(attention(norm(x)))); "fn" is the reference's name for what a norm precedes.
class AttentionUnitImpl : public torch::nn::Cloneable<AttentionUnitImpl> {
 public:
  explicit AttentionUnitImpl(const TransformerEncoderOptions& options_) : options(options_) {
    reset();
  }

  void reset() override {
    const auto inner = options.heads() * options.head_width();
    Linear qkv(torch::nn::LinearOptions(options.dim(), 3 * inner).bias(false));
    Linear out(inner, options.dim());
    initialise_linear(qkv, options.initialisation());
    initialise_linear(out, options.initialisation());
    torch::nn::Sequential to_out(out, Dropout(options.dropout()));
    norm =
        register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.dim()})));
    fn = register_module(
        "fn", torch::nn::ModuleDict(Children{{"to_qkv", qkv.ptr()}, {"to_out", to_out.ptr()}}));
  }

  // only_row >= 0: queries of that step alone, [batch, 1, dim].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& mask, int64_t only_row) {
    const auto batch = x.size(0), time = x.size(1), heads = options.heads();
    const auto parts = fn->at<LinearImpl>("to_qkv")
                           .forward(norm(x))
                           .view({batch, time, 3, heads, options.head_width()})
                           .permute({2, 0, 3, 1, 4});
    auto query = parts[0];
    if (only_row >= 0) query = query.narrow(2, only_row, 1);
    std::optional<at::Tensor> keys;
    if (mask.defined()) keys = mask.view({batch, 1, 1, time});
    const auto context = at::scaled_dot_product_attention(query, parts[1], parts[2], keys);
    return fn->at<torch::nn::SequentialImpl>("to_out").forward(context.transpose(1, 2).flatten(2));
  }

  TransformerEncoderOptions options;
  torch::nn::LayerNorm norm{nullptr};
  torch::nn::ModuleDict fn{nullptr};
};
TORCH_MODULE(AttentionUnit);

class FeedForwardUnitImpl : public torch::nn::Cloneable<FeedForwardUnitImpl> {
 public:
  explicit FeedForwardUnitImpl(const TransformerEncoderOptions& options_) : options(options_) {
    reset();
  }

  void reset() override {
    Linear wide(options.dim(), options.feed_forward());
    Linear narrow(options.feed_forward(), options.dim());
    initialise_linear(wide, options.initialisation());
    initialise_linear(narrow, options.initialisation());
    torch::nn::Sequential net(wide, torch::nn::GELU(), Dropout(options.dropout()), narrow,
                              Dropout(options.dropout()));
    norm =
        register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.dim()})));
    fn = register_module("fn", torch::nn::ModuleDict(Children{{"net", net.ptr()}}));
  }

  at::Tensor forward(const at::Tensor& x) {
    return fn->at<torch::nn::SequentialImpl>("net").forward(norm(x));
  }

  TransformerEncoderOptions options;
  torch::nn::LayerNorm norm{nullptr};
  torch::nn::ModuleDict fn{nullptr};
};
TORCH_MODULE(FeedForwardUnit);

void validate(const TransformerEncoderOptions& o) {
  const std::pair<const char*, int64_t> sizes[] = {
      {"dim", o.dim()},     {"output_dim", o.output_dim()}, {"layers", o.layers()},
      {"heads", o.heads()}, {"head_width", o.head_width()}, {"feed_forward", o.feed_forward()}};
  for (const auto& [name, value] : sizes) {
    VMR_CHECK(value >= 1, "TransformerEncoder: ", name, " = ", value, ", expected at least 1");
  }
  VMR_CHECK(o.dropout() >= 0 && o.dropout() < 1, "TransformerEncoder: dropout = ", o.dropout(),
            ", expected in [0, 1)");
}

}  // namespace

TransformerEncoderImpl::TransformerEncoderImpl(const TransformerEncoderOptions& options_)
    : options(options_) {
  validate(options);
  reset();
}

void TransformerEncoderImpl::reset() {
  layers = register_module("layers", torch::nn::ModuleList());
  for (int64_t i = 0; i < options.layers(); ++i) {
    layers->push_back(torch::nn::ModuleList(AttentionUnit(options), FeedForwardUnit(options)));
  }
  final_linear = register_module("final_linear", Linear(options.dim(), options.output_dim()));
}

at::Tensor TransformerEncoderImpl::hidden(at::Tensor x, const at::Tensor& mask, int64_t only_row) {
  VMR_CHECK(x.dim() == 3 && x.size(2) == options.dim(),
            "TransformerEncoder: expected [batch, time, ", options.dim(), "], got ", x.sizes());
  check_mask(mask, x.size(0), x.size(1), "TransformerEncoder");
  // Padding takes part with weight 0, and 0 * NaN would be NaN.
  if (mask.defined()) x = x.masked_fill(mask.logical_not().unsqueeze(2), 0);
  for (size_t i = 0; i < layers->size(); ++i) {
    auto& layer = *layers->ptr<torch::nn::ModuleListImpl>(i);
    const int64_t row = i + 1 == layers->size() ? only_row : -1;
    const auto attended = layer.ptr<AttentionUnitImpl>(0)->forward(x, mask, row);
    x = (row >= 0 ? x.narrow(1, row, 1) : x) + attended;
    x = x + layer.ptr<FeedForwardUnitImpl>(1)->forward(x);
  }
  return x;
}

at::Tensor TransformerEncoderImpl::forward(const at::Tensor& x, const at::Tensor& mask) {
  return final_linear(hidden(x, mask, -1));
}

at::Tensor TransformerEncoderImpl::mean(const at::Tensor& x, const at::Tensor& mask) {
  // The last layer is linear, so the mean may go first.
  return final_linear(masked_mean(hidden(x, mask, -1), mask));
}

at::Tensor TransformerEncoderImpl::row(const at::Tensor& x, int64_t row) {
  VMR_CHECK(x.dim() == 3 && row >= 0 && row < x.size(1), "TransformerEncoder: row ", row,
            " of an input ", x.sizes());
  return final_linear(hidden(x, {}, row).squeeze(1));
}

}  // namespace vmr::nn
