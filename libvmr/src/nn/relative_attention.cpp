#include "vmr/nn/relative_attention.h"

#include <cmath>
#include <limits>

#include "vmr/core/error.h"
#include "vmr/nn/positional_table.h"

namespace vmr::nn {
namespace {

// Shifts row i of the scores [batch, heads, time, columns] left by time - 1 - i by prepending a
// column of zeros and reading the memory with another row length.
at::Tensor relative_shift(const at::Tensor& raw) {
  const auto time = raw.size(2), columns = raw.size(3);
  const auto padded = at::constant_pad_nd(raw, {1, 0});
  return padded.view({raw.size(0), raw.size(1), columns + 1, time})
      .narrow(2, 1, columns)
      .reshape(raw.sizes());
}

// The ut_cmvmr shift of every item as if the batch ended at its own last real step.
at::Tensor relative_shift_masked(const at::Tensor& raw, const at::Tensor& mask) {
  const auto time = raw.size(2);
  const auto steps = at::arange(time, mask.options().dtype(at::kLong));
  const auto i = steps.view({1, time, 1}), j = steps.view({1, 1, time});
  const auto length = mask.sum(1).view({-1, 1, 1});
  const auto before = i * time + (length - 1 - i + j).clamp(0, time - 1);
  const auto after = ((i + 1) * time + j - i - 2).clamp(0, time * time - 1);
  const auto index = at::where(j <= i, before, after).flatten(1).unsqueeze(1);
  return raw.flatten(2)
      .gather(2, index.expand({-1, raw.size(1), -1}))
      .view(raw.sizes())
      .masked_fill((j == i + 1).unsqueeze(1), 0);
}

}  // namespace

RelativeAttentionImpl::RelativeAttentionImpl(const RelativeAttentionOptions& options_)
    : options(options_) {
  VMR_CHECK(options.dim() >= 1 && options.heads() >= 1 && options.dim() % options.heads() == 0,
            "RelativeAttention: expected heads that divide dim, got dim ", options.dim(),
            ", heads ", options.heads());
  VMR_CHECK(options.dropout() >= 0 && options.dropout() < 1,
            "RelativeAttention: expected dropout in [0, 1), got ", options.dropout());
  reset();
}

void RelativeAttentionImpl::reset() {
  const auto dim = options.dim();
  query_proj = register_module("query_proj", Linear(dim, dim));
  key_proj = register_module("key_proj", Linear(dim, dim));
  value_proj = register_module("value_proj", Linear(dim, dim));
  pos_proj = register_module("pos_proj", Linear(torch::nn::LinearOptions(dim, dim).bias(false)));
  dropout = register_module("dropout", Dropout(options.dropout()));
  const auto biases = {options.heads(), dim / options.heads()};
  u_bias = register_parameter("u_bias", torch::empty(biases));
  v_bias = register_parameter("v_bias", torch::empty(biases));
  torch::nn::init::xavier_uniform_(u_bias);
  torch::nn::init::xavier_uniform_(v_bias);
  out_proj = register_module("out_proj", Linear(dim, dim));
}

at::Tensor RelativeAttentionImpl::table(int64_t time, const at::Tensor& like) const {
  return options.positions() == RelPosMode::ut_cmvmr
             ? sinusoid_table(time, options.dim(), like)
             : relative_sinusoid_table(time, options.dim(), like);
}

at::Tensor RelativeAttentionImpl::forward(const at::Tensor& x, const at::Tensor& table,
                                          const at::Tensor& mask) {
  const auto batch = x.size(0), time = x.size(1), heads = options.heads();
  const auto width = options.dim() / heads;
  const auto split = [&](const at::Tensor& rows) {
    return rows.view({rows.size(0), -1, heads, width}).transpose(1, 2);
  };
  const auto query = query_proj(x).view({batch, time, heads, width});
  const auto key = split(key_proj(x)), value = split(value_proj(x));
  const auto position = split(pos_proj(table.unsqueeze(0)));

  const auto raw =
      at::matmul((query + v_bias).transpose(1, 2), position.transpose(2, 3)).contiguous();
  const bool own_lengths = mask.defined() && options.positions() == RelPosMode::ut_cmvmr;
  auto shifted = own_lengths ? relative_shift_masked(raw, mask) : relative_shift(raw);

  const double scale =
      1.0 / std::sqrt(double(options.scale_by() == ScoreScale::model ? options.dim() : width));
  auto bias = shifted.narrow(3, 0, time) * scale;
  if (mask.defined()) {
    bias = bias.masked_fill(mask.logical_not().view({batch, 1, 1, time}),
                            -std::numeric_limits<float>::infinity());
  }
  const auto context = at::scaled_dot_product_attention(
      (query + u_bias).transpose(1, 2), key, value, bias,
      is_training() ? dropout->options.p() : 0.0, /*is_causal=*/false, scale);
  return out_proj(context.transpose(1, 2).reshape({batch, time, options.dim()}));
}

}  // namespace vmr::nn
