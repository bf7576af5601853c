#include "model/tag_head.h"

#include "model/unit_rows.h"
#include "vmr/core/error.h"
#include "vmr/nn/dropout.h"

namespace vmr::model {
TagHeadImpl::TagHeadImpl(const TagHeadOptions& options_) : options(options_) {
  VMR_CHECK(options.dim() >= 2 && options.dim() % 2 == 0 && options.tags() >= 2,
            "TagHead: dim = ", options.dim(), ", tags = ", options.tags(),
            "; expected an even dim and at least 2 tags");
  reset();
}

void TagHeadImpl::reset() {
  const auto dim = options.dim();
  W1 = register_parameter("W1", torch::randn({dim / 2, dim}));
  W2 = register_parameter("W2", torch::randn({dim / 2, dim}));
  const auto linear = [&](int64_t input, int64_t output) {
    nn::Linear layer(input, output);
    nn::initialise_linear(layer, options.initialisation());
    return layer;
  };
  linear_net = register_module(
      "linear_net",
      torch::nn::Sequential(
          linear(dim, dim / 2),
          torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(dim / 2).eps(1e-3)),
          torch::nn::ReLU(), nn::Dropout(options.dropout()), linear(dim / 2, options.tags())));
}

at::Tensor TagHeadImpl::forward(const at::Tensor& music, const at::Tensor& video) {
  VMR_CHECK(music.dim() == 2 && music.size(1) == options.dim() && music.sizes() == video.sizes(),
            "TagHead: expected two [batch, ", options.dim(), "], got ", music.sizes(), " and ",
            video.sizes());
  const auto cosines = [](const at::Tensor& rows, const at::Tensor& directions) {
    return unit_rows(rows).mm(unit_rows(directions.t()));  // its columns
  };
  return linear_net->forward(at::cat({cosines(music, W1), cosines(video, W2)}, 1));
}

}  // namespace vmr::model
