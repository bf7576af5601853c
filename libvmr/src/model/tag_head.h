// The tag classifier over a pair of items of the UT-CMVMR reference ("DAM", section 14.4 of its
// description): cosines of both items with learned directions, then a small net. Keys are the
// reference's. Thread-safe in eval().
#pragma once

#include <torch/arg.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/pimpl.h>

#include "vmr/nn/initialise.h"

namespace vmr::model {

struct TagHeadOptions {
  TagHeadOptions(int64_t dim, int64_t tags) : dim_(dim), tags_(tags) {}
  TORCH_ARG(int64_t, dim);   // of an item's rho, even
  TORCH_ARG(int64_t, tags);  // classes
  TORCH_ARG(double, dropout) = 0.4;
  TORCH_ARG(nn::Initialisation, initialisation) = nn::Initialisation::he_normal;
};

class TagHeadImpl : public torch::nn::Cloneable<TagHeadImpl> {
 public:
  explicit TagHeadImpl(const TagHeadOptions& options_);
  void reset() override;

  // music, video [batch, dim] -> scores [batch, tags] as margin_softmax takes them.
  at::Tensor forward(const at::Tensor& music, const at::Tensor& video);

  TagHeadOptions options;
  at::Tensor W1, W2;  // [dim/2, dim]: of music, of video; their columns are used at unit length
  torch::nn::Sequential linear_net{nullptr};
};
TORCH_MODULE(TagHead);

}  // namespace vmr::model
