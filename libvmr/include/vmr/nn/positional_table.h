// Sinusoid position vectors (Vaswani et al., arXiv 1706.03762), computed where they are needed:
// they are constants and appear in no checkpoint. Row p has sin(p w_i) in column 2i and cos(p w_i)
// in column 2i + 1, w_i = 10000^(-2i / dim). Position 0 gives 0, 1, 0, 1, ... Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

namespace vmr::nn {

// Positions 0, 1, ..., rows - 1 -> [rows, dim] float32 on `like`'s device and dtype.
at::Tensor sinusoid_table(int64_t rows, int64_t dim, const at::Tensor& like);

// Relative positions length - 1 down to -(length - 1) -> [2 * length - 1, dim], as Transformer-XL
// reads them.
at::Tensor relative_sinusoid_table(int64_t length, int64_t dim, const at::Tensor& like);

}  // namespace vmr::nn
