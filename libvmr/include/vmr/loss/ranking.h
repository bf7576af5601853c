// Inter-modal ranking over a batch of matching pairs: every other item of the batch is a negative,
// the hardest of each row count (UT-CMVMR section 14.2 of its reference; VM-NET, arXiv 1704.06761).
// Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include "vmr/core/distance.h"

namespace vmr::loss {

struct RankingOptions {
  double margin = 0.0;
  int64_t top = 1024;  // hardest negatives a row; more than the batch means the batch
  Distance distance = Distance::cosine;
  bool count_masked = true;  // pairs that are no negatives count as zeros, as published; false: the
                             // mean is over negatives only
};

// The two directions, unweighted scalars.
struct RankingTerms {
  at::Tensor x_to_y, y_to_x;
};

// x, y [batch, dim], row i of x matches row i of y; D_ij = -x_i . y_j (cosine; unit rows) or
// |x_i - y_j + 1e-6| (l2; its gradient is 0 where it is 0). x_to_y = mean over rows i and the K =
// min(top, batch) smallest D_ij of max(0, margin + D_ii - D_ij); y_to_x likewise over columns. The
// pair itself counts as a zero among the K when K = batch, as published: batch of one gives 0. ids
// [batch] int64 (optional): columns with the id of the row are no negatives, since many films share
// a track; they count as zeros too. count_masked = false: K negatives at most, and the sum is
// divided by how many there are in all rows. Example: D = [[-1, -0.5], [0, -0.8]], margin 0.6:
// x_to_y = (0 + 0.1 + 0 + 0) / 4, without masked pairs (0.1 + 0) / 2. Throws: InvalidArgument for
// unequal shapes or options out of range.
RankingTerms inter_modal_ranking(const at::Tensor& x, const at::Tensor& y,
                                 const RankingOptions& options = {}, const at::Tensor& ids = {});

}  // namespace vmr::loss
