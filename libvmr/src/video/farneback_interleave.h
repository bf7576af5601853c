// A frame's expansion keeps the five values of a pixel in one place, so that a vector whose pixels
// are displaced apart reads a few places a pixel. Here whole vectors of pixels are taken apart and
// put together: 5 and the number of lanes have no common factor, so the lanes of one value in five
// vectors are all different, and blending and one permutation do it.
#pragma once

#include "video/farneback_vectors.h"

namespace vmr::video::detail {
namespace {

template <class L>
struct Interleave {
  using F = typename L::Floats;
  using I = typename L::Ints;
  static constexpr int N = L::kLanes;
  static_assert(N % kPixelFloats != 0);

  // The lanes of vector `k` of five that hold value `p`, as bits.
  static constexpr int lanes_of(int k, int p) {
    int bits = 0;
    for (int lane = 0; lane < N; ++lane) {
      if ((N * k + lane) % kPixelFloats == p) bits |= 1 << lane;
    }
    return bits;
  }

  // The i with 5 i = 1 modulo the number of lanes.
  static constexpr int inverse_of_five() {
    int i = 1;
    while (5 * i % N != 1) ++i;
    return i;
  }

  template <int kP>
  VMR_INLINE F take(const F* in) {
    F v = in[0];
    v = L::template blend<lanes_of(1, kP)>(v, in[1]);
    v = L::template blend<lanes_of(2, kP)>(v, in[2]);
    v = L::template blend<lanes_of(3, kP)>(v, in[3]);
    v = L::template blend<lanes_of(4, kP)>(v, in[4]);
    return L::permute_one(v, (L::iota() * 5 + kP) & (N - 1));
  }

  VMR_INLINE void load(const float* pixels, F* values) {
    F in[kPixelFloats];
#pragma GCC unroll 5
    for (int k = 0; k < kPixelFloats; ++k) in[k] = L::load(pixels + k * N);
    values[0] = take<0>(in);
    values[1] = take<1>(in);
    values[2] = take<2>(in);
    values[3] = take<3>(in);
    values[4] = take<4>(in);
  }

  template <int kK>
  VMR_INLINE void put(const F* turned, float* pixels) {
    F v = turned[0];
    v = L::template blend<lanes_of(kK, 1)>(v, turned[1]);
    v = L::template blend<lanes_of(kK, 2)>(v, turned[2]);
    v = L::template blend<lanes_of(kK, 3)>(v, turned[3]);
    v = L::template blend<lanes_of(kK, 4)>(v, turned[4]);
    L::store(pixels + kK * N, v);
  }

  VMR_INLINE void store(const F* values, float* pixels) {
    F turned[kPixelFloats];
#pragma GCC unroll 5
    for (int p = 0; p < kPixelFloats; ++p) {
      turned[p] =
          L::permute_one(values[p], ((L::iota() + (N - p % N)) * inverse_of_five()) & (N - 1));
    }
    put<0>(turned, pixels);
    put<1>(turned, pixels);
    put<2>(turned, pixels);
    put<3>(turned, pixels);
    put<4>(turned, pixels);
  }
};

}  // namespace
}  // namespace vmr::video::detail
