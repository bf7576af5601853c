// Farneback's bilinear reading of one pixel in a vector of 8 floats, of which 5 are its own: shared
// by the instruction sets that have AVX2. In an anonymous namespace, as all of these headers.
#pragma once

#include <immintrin.h>

#include "video/farneback_vectors.h"

namespace vmr::video::detail {
namespace {

// Between the pixel at `here`, its right neighbour and the two `stride` floats on; `right` and
// `below` are parts of a pixel.
VMR_INLINE __m256 bilinear_pixel(const float* here, int64_t stride, const float* right,
                                 const float* below) {
  const __m256 down = _mm256_broadcast_ss(below);
  const auto mix = [](__m256 from, __m256 to, __m256 part) __attribute__((always_inline)) {
    return _mm256_fnmadd_ps(_mm256_sub_ps(from, to), part, from);
  };
  const float* next = here + kPixelFloats;
  const __m256 at = mix(_mm256_loadu_ps(here), _mm256_loadu_ps(here + stride), down);
  const __m256 beside = mix(_mm256_loadu_ps(next), _mm256_loadu_ps(next + stride), down);
  return mix(at, beside, _mm256_broadcast_ss(right));
}

}  // namespace
}  // namespace vmr::video::detail
