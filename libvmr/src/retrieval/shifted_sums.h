// Sums of shifted rows: what events, curves and autocorrelations at all offsets come down to.
#pragma once

#include <cstddef>
#include <vector>

namespace vmr::retrieval::detail {

// sums[k] = the sum over i of weights[i] * row[shifts[i] + k], k = 0..count-1, added up in the
// order of i. A few k at a time stay in registers while i runs: three times as fast as adding row
// by row, which writes every sum back.
// Requires: row has max(shifts) + count values.
void shifted_sums(const float* weights, const size_t* shifts, size_t terms, const float* row,
                  float* sums, size_t count);

// sums[k] = the sum over i of weights[i] * row[i + k], k = 0..count-1, in double from 64 to 64
// terms. Requires: row has weights.size() + count - 1 values.
std::vector<double> sliding_products(const std::vector<float>& weights, const float* row,
                                     size_t count);

}  // namespace vmr::retrieval::detail
