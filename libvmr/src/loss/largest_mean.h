// The mean of the largest values of each row, over the entries that count.
#pragma once

#include <ATen/core/Tensor.h>

namespace vmr::loss {

// values [rows, columns], not negative; `left_out` bool of the same shape marks entries that become
// 0. Mean over rows of the K = min(top, columns) largest; with `count_left_out` false the entries
// left out are not counted either: the sum is divided by the number of real ones among the K of
// every row, and is 0 where there are none.
at::Tensor largest_mean(const at::Tensor& values, const at::Tensor& left_out, int64_t top,
                        bool count_left_out);

// bool [batch, batch]: the pairs themselves and, where ids [batch] are given, pairs of equal ids.
at::Tensor same_item(int64_t batch, const at::Tensor& ids, const at::Device& device);

}  // namespace vmr::loss
