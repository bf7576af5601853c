// Farneback's pyramid for vectors of any width: a level's picture from the full one, and its first
// flow from that of the coarser level. Included by farneback_lanes.h.
#pragma once

#include "video/farneback_vectors.h"

namespace vmr::video::detail {
namespace {

template <class L>
struct Resizing {
  using F = typename L::Floats;
  using I = typename L::Ints;
  static constexpr int N = L::kLanes;

  // row[at], the places of one vector.
  static F pick(const float* row, I at) {
    const int first = L::first(at);
    const I off = at - first;
    if (L::all(L::equal(off, L::iota()))) return L::load(row + first);
    if constexpr (L::kPermutes) {
      if (L::all(L::below(off, 2 * N))) {
        return L::permute(L::load(row + first), L::load(row + first + N), off);
      }
    }
    return L::gather(row, at);
  }

  static F filter_across(const AxisView& axis, const float* row, int x) {
    const I first = L::load_ints(axis.first + x);
    F sum = pick(row, first) * L::load(axis.weights + x);
    for (int k = 1; k < axis.taps; ++k) {
      sum = L::fma(pick(row + k, first), L::load(axis.weights + k * axis.stride + x), sum);
    }
    return sum;
  }

  static void shrink(const uint8_t* picture, const AxisView& across, const AxisView& down,
                     Planes level, float* scratch, int y0, int y1) {
    const int width = across.inputs;
    float* sums = scratch + kLeftPad;
    for (int y = y0; y < y1; ++y) {
      const uint8_t* rows = picture + int64_t(down.first[y]) * width;
      int x = 0;
      for (; x + N <= width; x += N) {
        F sum = L::splat(0);
        for (int k = 0; k < down.taps; ++k) {
          sum = L::fma(L::load_bytes(rows + int64_t(k) * width + x),
                       L::splat(down.weights[k * down.stride + y]), sum);
        }
        L::store(sums + x, sum);
      }
      for (; x < width; ++x) {
        float sum = 0;
        for (int k = 0; k < down.taps; ++k) {
          sum =
              __builtin_fmaf(rows[int64_t(k) * width + x], down.weights[k * down.stride + y], sum);
        }
        sums[x] = sum;
      }
      float* out = level.row(y);
      for (x = 0; x < across.outputs; x += N) L::store(out + x, filter_across(across, sums, x));
    }
  }

  static void enlarge(Planes coarse, const AxisView& across, const AxisView& down, float factor,
                      Planes flow, float* scratch, int y0, int y1) {
    const int64_t floats = row_floats(across.inputs);
    for (int y = y0; y < y1; ++y) {
      for (int p = 0; p < kFlowPlanes; ++p) {
        float* sums = scratch_row(scratch, floats, p);
        for (int x = 0; x < across.inputs; x += N) {
          F sum = L::splat(0);
          for (int k = 0; k < down.taps; ++k) {
            sum = L::fma(L::load(coarse.row(down.first[y] + k, p) + x),
                         L::splat(down.weights[k * down.stride + y] * factor), sum);
          }
          L::store(sums + x, sum);
        }
        float* out = flow.row(y, p);
        for (int x = 0; x < across.outputs; x += N)
          L::store(out + x, filter_across(across, sums, x));
      }
    }
  }
};

}  // namespace
}  // namespace vmr::video::detail
