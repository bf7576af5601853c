#include "vmr/loss/triplet.h"

#include <ATen/ATen.h>

#include "vmr/core/error.h"

namespace vmr::loss {

at::Tensor triplet_margin(const at::Tensor& anchor, const at::Tensor& positive,
                          const at::Tensor& negative, const TripletOptions& options) {
  VMR_CHECK(anchor.dim() == 2 && anchor.numel() > 0 && anchor.sizes() == positive.sizes() &&
                anchor.sizes() == negative.sizes(),
            "triplet_margin: expected three [batch, dim], got ", anchor.sizes(), ", ",
            positive.sizes(), ", ", negative.sizes());
  const auto near = at::norm(anchor - positive + options.epsilon, 2, 1);
  const auto far = at::norm(anchor - negative + options.epsilon, 2, 1);
  return at::relu(near - far + options.margin).mean();
}

at::Tensor mean_squares(std::initializer_list<std::pair<at::Tensor, at::Tensor>> pairs) {
  VMR_CHECK(pairs.size() > 0, "mean_squares: no pair given");
  at::Tensor sum;
  for (const auto& [left, right] : pairs) {
    VMR_CHECK(left.sizes() == right.sizes() && left.numel() > 0, "mean_squares: ", left.sizes(),
              " against ", right.sizes(), "; expected equal, non-empty shapes");
    const auto term = at::mse_loss(left, right);
    sum = sum.defined() ? sum + term : term;
  }
  return sum;
}

}  // namespace vmr::loss
