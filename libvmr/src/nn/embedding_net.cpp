#include "vmr/nn/embedding_net.h"

#include "vmr/core/error.h"

namespace vmr::nn {

EmbeddingNetImpl::EmbeddingNetImpl(const EmbeddingNetOptions& options_) : options(options_) {
  VMR_CHECK(options.input_dim() >= 1 && options.output_dim() >= 1 && options.hidden() >= 0,
            "EmbeddingNet: expected positive dims, got ", options.input_dim(), " -> ",
            options.hidden(), " -> ", options.output_dim());
  VMR_CHECK(options.momentum() > 0 && options.momentum() <= 1,
            "EmbeddingNet: momentum = ", options.momentum(), ", expected in (0, 1]");
  VMR_CHECK(options.dropout() >= 0 && options.dropout() < 1,
            "EmbeddingNet: dropout = ", options.dropout(), ", expected in [0, 1)");
  reset();
}

void EmbeddingNetImpl::reset() {
  using torch::nn::BatchNorm1d;
  using torch::nn::BatchNorm1dOptions;
  const auto linear = [&](int64_t input, int64_t output) {
    Linear layer(input, output);
    initialise_linear(layer, options.initialisation());
    return layer;
  };
  const auto input = options.input_dim(), hidden = options.hidden(), output = options.output_dim();
  net = torch::nn::Sequential();
  if (hidden > 0) {
    net->push_back(linear(input, hidden));
    net->push_back(BatchNorm1d(hidden));
    net->push_back(torch::nn::Sigmoid());
    net->push_back(linear(hidden, output));
    net->push_back(BatchNorm1d(BatchNorm1dOptions(output).momentum(options.momentum())));
  } else {
    net->push_back(linear(input, output));
    net->push_back(BatchNorm1d(output));
  }
  net->push_back(torch::nn::ReLU());
  net->push_back(linear(output, output));
  register_module("net", net);
  dropout = register_module("dropout", Dropout(options.dropout()));
}

at::Tensor EmbeddingNetImpl::forward(const at::Tensor& x) {
  VMR_CHECK(x.dim() == 2 && x.size(1) == options.input_dim(), "EmbeddingNet: expected [batch, ",
            options.input_dim(), "], got ", x.sizes());
  VMR_CHECK(!is_training() || x.size(0) > 1,
            "EmbeddingNet: training needs a batch of at least 2, got ", x.sizes());
  // Dropout stands outside `net`, where it would shift the numbers in the keys.
  auto y = x;
  size_t step = 0;
  for (auto& layer : *net) {
    const bool after_activation = step > 0 && step % 3 == 0;
    if (after_activation && options.dropout() > 0) y = dropout(y);
    y = layer.any_forward(y).get<at::Tensor>();
    ++step;
  }
  return y;
}

}  // namespace vmr::nn
