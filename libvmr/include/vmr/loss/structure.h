// Soft structure loss of the UT-CMVMR reference: neighbours in the embedded space keep the order
// they have in the low-level space. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

namespace vmr::loss {

struct SoftStructureOptions {
  int64_t window = 1024;      // K: items compared; more than there are means all
  int64_t row_offset = 0;     // first row and column compared, in [0, items - K]: the caller draws
  int64_t column_offset = 0;  // them
};

// low [items, low_dim], embedded [items, dim], one row an item (no item twice). Rows are made unit
// length, D = -X X^T for both; A = D[r : r+K-1, c : c+K-2], B = D[r : r+K-1, c+1 : c+K-1];
//   loss = mean (sign(A_low - B_low) - sign(A_emb - B_emb)) * (B_emb - A_emb).
// 0 where both spaces order all neighbours alike. Requires: at least 3 items.
// Throws: InvalidArgument for other shapes or offsets.
at::Tensor soft_structure(const at::Tensor& low, const at::Tensor& embedded,
                          const SoftStructureOptions& options = {});

}  // namespace vmr::loss
