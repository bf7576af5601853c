#include "model/cmvae_nets.h"

#include "model/unit_rows.h"

namespace vmr::model {
namespace {

constexpr double kSmallestNorm = 1e-10, kLargestLogVariance = 10;

nn::Linear drawn(int64_t input, int64_t output) {
  nn::Linear layer(input, output);
  torch::nn::init::xavier_normal_(layer->weight);
  return layer;
}

}  // namespace

GaussianEncoderImpl::GaussianEncoderImpl(int64_t input, int64_t latent, double share)
    : input_dim(input), latent_dim(latent), dropout_share(share) {
  reset();
}

void GaussianEncoderImpl::reset() {
  norm = register_module("norm", torch::nn::BatchNorm1d(input_dim));
  dropout = register_module("dropout", nn::Dropout(dropout_share));
  mean = register_module("mean", drawn(input_dim, latent_dim));
  log_variance = register_module("log_variance", drawn(input_dim, latent_dim));
}

loss::Gaussian GaussianEncoderImpl::forward(const at::Tensor& x) {
  const auto seen = dropout(norm(x));
  return {unit_rows(mean(seen), kSmallestNorm),
          unit_rows(log_variance(seen), kSmallestNorm).clamp_max(kLargestLogVariance)};
}

FeatureDecoderImpl::FeatureDecoderImpl(int64_t latent, int64_t output, double share, bool rectify)
    : latent_dim(latent), output_dim(output), dropout_share(share), relu(rectify) {
  reset();
}

void FeatureDecoderImpl::reset() {
  norm = register_module("norm", torch::nn::BatchNorm1d(latent_dim));
  dropout = register_module("dropout", nn::Dropout(dropout_share));
  linear = register_module("linear", nn::Linear(latent_dim, output_dim));
}

at::Tensor FeatureDecoderImpl::forward(const at::Tensor& z) {
  const auto features = linear(dropout(norm(z)));
  return relu ? at::relu(features) : features;
}

}  // namespace vmr::model
