#include "vmr/nn/masked_mean.h"

#include <ATen/ATen.h>

#include "vmr/core/error.h"

namespace vmr::nn {

at::Tensor masked_mean(const at::Tensor& values, const at::Tensor& mask) {
  if (!mask.defined()) return values.mean(1);
  const auto count = mask.sum(1, /*keepdim=*/true).clamp_min(1).to(values.scalar_type());
  return values.masked_fill(mask.logical_not().unsqueeze(2), 0).sum(1) / count;
}

void check_mask(const at::Tensor& mask, int64_t batch, int64_t time, const char* where) {
  if (!mask.defined()) return;
  VMR_CHECK(mask.scalar_type() == at::kBool && mask.dim() == 2 && mask.size(0) == batch &&
                mask.size(1) == time,
            where, ": expected a bool mask [", batch, ", ", time, "], got ", mask.scalar_type(),
            " ", mask.sizes());
  VMR_CHECK(batch == 0 || mask.any(1).all().item<bool>(), where,
            ": an item has no real step; leave such items out of the batch");
}

}  // namespace vmr::nn
