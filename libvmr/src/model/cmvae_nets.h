// The two kinds of net of Cmvae.
#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/pimpl.h>

#include "vmr/loss/variational.h"
#include "vmr/nn/dropout.h"
#include "vmr/nn/linear.h"

namespace vmr::model {

// One view of an item -> its belief about the latent: batch norm, dropout, then two linear layers
// whose outputs are made unit length.
class GaussianEncoderImpl : public torch::nn::Cloneable<GaussianEncoderImpl> {
 public:
  GaussianEncoderImpl(int64_t input_dim, int64_t latent_dim, double dropout);
  void reset() override;
  // [batch, input_dim] -> mean and log variance [batch, latent_dim].
  loss::Gaussian forward(const at::Tensor& x);

  int64_t input_dim, latent_dim;
  double dropout_share;
  torch::nn::BatchNorm1d norm{nullptr};
  nn::Dropout dropout{nullptr};
  nn::Linear mean{nullptr}, log_variance{nullptr};
};
TORCH_MODULE(GaussianEncoder);

// A latent -> features of the other side: batch norm, dropout, linear, ReLU where `relu`.
class FeatureDecoderImpl : public torch::nn::Cloneable<FeatureDecoderImpl> {
 public:
  FeatureDecoderImpl(int64_t latent_dim, int64_t output_dim, double dropout, bool relu);
  void reset() override;
  // [batch, latent_dim] -> [batch, output_dim].
  at::Tensor forward(const at::Tensor& z);

  int64_t latent_dim, output_dim;
  double dropout_share;
  bool relu;
  torch::nn::BatchNorm1d norm{nullptr};
  nn::Dropout dropout{nullptr};
  nn::Linear linear{nullptr};
};
TORCH_MODULE(FeatureDecoder);

}  // namespace vmr::model
