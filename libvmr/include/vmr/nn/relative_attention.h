// Self-attention with sinusoid relative positions (Transformer-XL, Dai et al., arXiv 1901.02860),
// in two forms. Per head, with q, k from the input and r from the position table:
//   score_ij = ((q_i + u) . k_j + position_ij) * scale,   weights = softmax over j
//   transformer_xl: position_ij = (q_i + v) . r(i - j)
//   ut_cmvmr: the table has T rows 0..T-1 only, and the shift that aligns it wraps round:
//     position_ij = (q_i + v) . r_{T-1-(i-j)} for j <= i, 0 for j = i + 1,
//                   (q_{i+1} + v) . r_{j-i-2} for j >= i + 2
// Checkpoint keys are those of the reference Conformers. forward() is thread-safe in eval().
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/arg.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include "vmr/nn/dropout.h"
#include "vmr/nn/linear.h"

namespace vmr::nn {

enum class RelPosMode { ut_cmvmr, transformer_xl };
// Scores are divided by the square root of the model width or of the head width.
enum class ScoreScale { model, head };

struct RelativeAttentionOptions {
  // Requires: heads divides dim.
  RelativeAttentionOptions(int64_t dim, int64_t heads) : dim_(dim), heads_(heads) {}
  TORCH_ARG(int64_t, dim);
  TORCH_ARG(int64_t, heads);
  TORCH_ARG(RelPosMode, positions) = RelPosMode::ut_cmvmr;
  TORCH_ARG(ScoreScale, scale_by) = ScoreScale::model;
  TORCH_ARG(double, dropout) = 0.1;  // of the attention weights
};

class RelativeAttentionImpl : public torch::nn::Cloneable<RelativeAttentionImpl> {
 public:
  // Throws: InvalidArgument for options out of range.
  explicit RelativeAttentionImpl(const RelativeAttentionOptions& options_);
  void reset() override;

  // The table forward() wants for sequences of `time` steps: [time, dim] for ut_cmvmr,
  // [2 * time - 1, dim] for transformer_xl. One table serves all layers.
  at::Tensor table(int64_t time, const at::Tensor& like) const;

  // x [batch, time, dim], table as above, mask [batch, time] bool -> [batch, time, dim]. Real rows
  // do not depend on padding; rows of padding hold numbers without meaning.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& table, const at::Tensor& mask = {});

  RelativeAttentionOptions options;
  Linear query_proj{nullptr}, key_proj{nullptr}, value_proj{nullptr}, pos_proj{nullptr},
      out_proj{nullptr};
  Dropout dropout{nullptr};
  at::Tensor u_bias, v_bias;  // [heads, dim / heads]
};
TORCH_MODULE(RelativeAttention);

}  // namespace vmr::nn
