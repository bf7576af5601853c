// Mean over the real steps of padded sequences. Masks of this library are bool [batch, time],
// true = real, real steps first; an undefined mask means that every step is real. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

namespace vmr::nn {

// values [batch, time, dim] -> [batch, dim], sum over real steps / their number; an item without
// real steps gives zeros. What stands in the padding has no influence, NaN included.
at::Tensor masked_mean(const at::Tensor& values, const at::Tensor& mask = {});

// Throws InvalidArgument, naming `where`, unless mask is undefined or bool [batch, time] with at
// least one real step in each row.
void check_mask(const at::Tensor& mask, int64_t batch, int64_t time, const char* where);

}  // namespace vmr::nn
