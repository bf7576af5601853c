#include "vmr/nn/positional_table.h"

#include <ATen/ATen.h>

#include <cmath>

#include "vmr/core/error.h"

namespace vmr::nn {
namespace {

at::Tensor sinusoids(const at::Tensor& positions, int64_t dim) {
  const auto pairs = at::arange(0, dim, 2, positions.options());
  const auto angles = positions.unsqueeze(1) * at::exp(pairs * (-std::log(10000.0) / dim));
  // Interleaved: sin, cos, sin, cos, ...; an odd dim ends with a sine.
  return at::stack({at::sin(angles), at::cos(angles)}, 2).flatten(1).narrow(1, 0, dim);
}

}  // namespace

at::Tensor sinusoid_table(int64_t rows, int64_t dim, const at::Tensor& like) {
  VMR_CHECK(rows >= 1 && dim >= 1, "sinusoid_table: expected rows and dim of at least 1, got ",
            rows, " x ", dim);
  return sinusoids(at::arange(rows, like.options().dtype(at::kFloat)), dim).to(like.scalar_type());
}

at::Tensor relative_sinusoid_table(int64_t length, int64_t dim, const at::Tensor& like) {
  VMR_CHECK(length >= 1 && dim >= 1,
            "relative_sinusoid_table: expected length and dim of at least 1, got ", length, " x ",
            dim);
  const auto positions = at::arange(length - 1, -length, -1, like.options().dtype(at::kFloat));
  return sinusoids(positions, dim).to(like.scalar_type());
}

}  // namespace vmr::nn
