#include "loss/largest_mean.h"

#include <ATen/ATen.h>

namespace vmr::loss {

at::Tensor largest_mean(const at::Tensor& values, const at::Tensor& left_out, int64_t top,
                        bool count_left_out) {
  const auto count = std::min(top, values.size(1));
  auto kept = values.masked_fill(left_out, 0);
  if (count < values.size(1)) kept = std::get<0>(kept.topk(count, 1, true, /*sorted=*/false));
  if (count_left_out) return kept.mean();
  const auto real = left_out.logical_not().sum(1).clamp_max(count).sum();
  return kept.sum() / real.clamp_min(1).to(values.scalar_type());
}

at::Tensor same_item(int64_t batch, const at::Tensor& ids, const at::Device& device) {
  const auto own = at::eye(batch, at::dtype(at::kBool).device(device));
  if (!ids.defined()) return own;
  const auto keys = ids.to(device);
  return own.logical_or(keys.unsqueeze(1) == keys.unsqueeze(0));
}

}  // namespace vmr::loss
