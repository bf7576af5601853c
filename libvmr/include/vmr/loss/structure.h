// Soft structure loss of VM-NET (arXiv 1704.06761) and of the UT-CMVMR reference: neighbours in the
// embedded space keep the order they have in the low-level space. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace vmr::loss {

// Which part of the K x K window is compared; A and B are a column and its right neighbour.
enum class StructureWindow {
  ut_cmvmr,  // rows 0..K-2, columns 0..K-3 with 1..K-2: the last row and column are left out
  vm_net,    // rows 0..K-1, columns 0..K-2 with 1..K-1: all
};

struct SoftStructureOptions {
  int64_t window = 1024;      // K: items compared; more than there are means all
  int64_t row_offset = 0;     // first row and column compared, in [0, items - K]: the caller draws
  int64_t column_offset = 0;  // them
  StructureWindow rule = StructureWindow::ut_cmvmr;
};

// low [items, low_dim], embedded [items, dim], one row an item (no item twice). Rows are made unit
// length, D = -X X^T for both; A and B the windows of D from (row_offset, column_offset);
//   loss = mean (sign(A_low - B_low) - sign(A_emb - B_emb)) * (B_emb - A_emb).
// 0 where both spaces order all neighbours alike. `low` gets no gradient. Requires: at least 3
// items (2 for vm_net). Throws: InvalidArgument for other shapes or offsets.
at::Tensor soft_structure(const at::Tensor& low, const at::Tensor& embedded,
                          const SoftStructureOptions& options = {});

// ids [batch] int64 -> positions [items] int64 on the CPU at which an id stands for the first time:
// (7, 8, 7, 9) -> (0, 1, 3). Throws: InvalidArgument for other shapes and types.
at::Tensor first_occurrences(const at::Tensor& ids);
// The same of ids as text.
at::Tensor first_occurrences(const std::vector<std::string>& ids);

}  // namespace vmr::loss
