// Rows of unit length, with the bound under the root or norm that a published model states.
#pragma once

#include <ATen/core/Tensor.h>

namespace vmr::model {

// [batch, dim] -> the same, each row divided by its norm, or by `smallest` where that is larger.
inline at::Tensor unit_rows(const at::Tensor& rows, double smallest = 1e-12) {
  return rows / rows.norm(2, 1, /*keepdim=*/true).clamp_min(smallest);
}

}  // namespace vmr::model
