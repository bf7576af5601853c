#include "vmr/loss/structure.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "vmr/core/error.h"

namespace vmr::loss {
namespace {

template <typename Ids>
at::Tensor first_places(const Ids& ids) {
  std::unordered_set<typename Ids::value_type> seen;
  std::vector<int64_t> places;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (seen.insert(ids[i]).second) places.push_back(static_cast<int64_t>(i));
  }
  return at::tensor(places, at::kLong);
}

}  // namespace

at::Tensor soft_structure(const at::Tensor& low, const at::Tensor& embedded,
                          const SoftStructureOptions& options) {
  const bool all = options.rule == StructureWindow::vm_net;
  const int64_t fewest = all ? 2 : 3;
  VMR_CHECK(low.dim() == 2 && embedded.dim() == 2 && low.size(0) == embedded.size(0) &&
                low.size(0) >= fewest,
            "soft_structure: expected two [items >= ", fewest, ", dim], got ", low.sizes(), " and ",
            embedded.sizes());
  const auto items = low.size(0), window = std::min(options.window, items);
  const auto row = options.row_offset, column = options.column_offset;
  VMR_CHECK(window >= fewest && row >= 0 && row <= items - window && column >= 0 &&
                column <= items - window,
            "soft_structure: window ", window, " at (", row, ", ", column,
            "); expected a window of at least ", fewest, " inside ", items, " items");
  // Distance to the left neighbour minus distance to the right one, for every row.
  const auto step = [&](const at::Tensor& rows) {
    const auto unit = rows / rows.norm(2, 1, true).clamp_min(1e-12);
    const auto distance = -at::matmul(unit, unit.t()).narrow(0, row, all ? window : window - 1);
    const auto columns = all ? window - 1 : window - 2;
    return distance.narrow(1, column, columns) - distance.narrow(1, column + 1, columns);
  };
  const auto low_step = step(low), embedded_step = step(embedded);
  return ((at::sign(low_step) - at::sign(embedded_step)) * -embedded_step).mean();
}

at::Tensor first_occurrences(const at::Tensor& ids) {
  VMR_CHECK(ids.dim() == 1 && ids.scalar_type() == at::kLong,
            "first_occurrences: expected ids [batch] int64, got ", ids.scalar_type(), " ",
            ids.sizes());
  const auto values = ids.cpu().contiguous();
  return first_places(at::ArrayRef<int64_t>(values.const_data_ptr<int64_t>(), values.numel()));
}

at::Tensor first_occurrences(const std::vector<std::string>& ids) { return first_places(ids); }

}  // namespace vmr::loss
