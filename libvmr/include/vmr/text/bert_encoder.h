// The transformer encoder of BERT, XLM-R and MPNet: embeddings of tokens, positions and (but for
// MPNet) token types, summed and normalised, then layers of self-attention and feed-forward with
// GELU (erf), each followed by residual sum and LayerNorm.
//   bert   Devlin et al., arXiv 1810.04805; positions count from 0.
//   xlm_r  Conneau et al., arXiv 1911.02116; positions count from pad_id + 1.
//   mpnet  Song et al., arXiv 2004.09297; as xlm_r, no token types, and every head adds a learned
//          bias of the bucketed distance from query to key to its scores: half of the buckets for
//          each direction, exact up to a quarter of relative_buckets, then logarithmic up to 128.
// Parameter names equal the published keys once what stands before "embeddings." is taken off
// ("bert.", "roberta.", "mpnet.", or nothing in sentence-transformers folders). Every token has
// type 0. The pooler is left out: sentence vectors are made of the token outputs.
// Thread-safe in eval().
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/arg.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/modules/container/moduledict.h>
#include <torch/nn/pimpl.h>

namespace vmr::text {

enum class BertKind { bert, xlm_r, mpnet };

struct BertEncoderOptions {
  BertEncoderOptions(BertKind kind, int64_t vocabulary, int64_t dim)
      : kind_(kind), vocabulary_(vocabulary), dim_(dim) {}
  TORCH_ARG(BertKind, kind);
  TORCH_ARG(int64_t, vocabulary);
  TORCH_ARG(int64_t, dim);
  TORCH_ARG(int64_t, layers) = 12;
  TORCH_ARG(int64_t, heads) = 12;
  TORCH_ARG(int64_t, feed_forward) = 3072;
  TORCH_ARG(int64_t, positions) = 512;        // rows of the position table
  TORCH_ARG(int64_t, token_types) = 2;        // rows of the type table; mpnet has none
  TORCH_ARG(int64_t, pad_id) = 0;             // xlm_r and mpnet: positions begin above it
  TORCH_ARG(int64_t, relative_buckets) = 32;  // mpnet
  TORCH_ARG(double, norm_eps) = 1e-12;
  TORCH_ARG(double, dropout) = 0.1;  // after the embeddings, attention and feed-forward
  // False leaves the tables without values, for those who load all weights: drawing those of XLM-R
  // takes seconds.
  TORCH_ARG(bool, draw) = true;
};

class BertEncoderImpl : public torch::nn::Cloneable<BertEncoderImpl> {
 public:
  // Throws: InvalidArgument for options out of range.
  explicit BertEncoderImpl(const BertEncoderOptions& options_);
  void reset() override;

  // ids [batch, time] int64; mask [batch, time] bool, true = real, real tokens first; an undefined
  // mask means that every token is real. -> [batch, time, dim]; rows of padding are arbitrary.
  // Throws: InvalidArgument for other shapes, more than max_time() tokens, ids outside of the
  // vocabulary.
  at::Tensor forward(const at::Tensor& ids, const at::Tensor& mask = {});

  // The longest sequence the position table has rows for.
  int64_t max_time() const;

  BertEncoderOptions options;
  torch::nn::ModuleDict embeddings{nullptr}, encoder{nullptr};

 private:
  at::Tensor distance_bias(int64_t time);
};
TORCH_MODULE(BertEncoder);

}  // namespace vmr::text
