#include "vmr/loss/structure.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "vmr/core/error.h"

namespace vmr::loss {

at::Tensor soft_structure(const at::Tensor& low, const at::Tensor& embedded,
                          const SoftStructureOptions& options) {
  VMR_CHECK(
      low.dim() == 2 && embedded.dim() == 2 && low.size(0) == embedded.size(0) && low.size(0) >= 3,
      "soft_structure: expected two [items >= 3, dim], got ", low.sizes(), " and ",
      embedded.sizes());
  const auto items = low.size(0), window = std::min(options.window, items);
  const auto row = options.row_offset, column = options.column_offset;
  VMR_CHECK(
      window >= 3 && row >= 0 && row <= items - window && column >= 0 && column <= items - window,
      "soft_structure: window ", window, " at (", row, ", ", column,
      "); expected a window of at least 3 inside ", items, " items");
  // Distance to the left neighbour minus distance to the right one, for every row.
  const auto step = [&](const at::Tensor& rows) {
    const auto unit = rows / rows.norm(2, 1, true).clamp_min(1e-12);
    const auto distance = -at::matmul(unit, unit.t()).narrow(0, row, window - 1);
    return distance.narrow(1, column, window - 2) - distance.narrow(1, column + 1, window - 2);
  };
  const auto low_step = step(low), embedded_step = step(embedded);
  return ((at::sign(low_step) - at::sign(embedded_step)) * -embedded_step).mean();
}

}  // namespace vmr::loss
