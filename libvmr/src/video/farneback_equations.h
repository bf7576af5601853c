// The equations of a row of Farneback's flow for vectors of any width: the second frame's expansion
// where the flow leads, combined with the first frame's. Included by farneback_lanes.h.
#pragma once

#include "video/farneback_interleave.h"

namespace vmr::video::detail {
namespace {

template <class L>
struct EquationRows {
  using F = typename L::Floats;
  using I = typename L::Ints;
  using M = typename L::Mask;
  static constexpr int N = L::kLanes;

  static F weights_at(int x, int y, Size size) {
    const float down = border_weight(y) * border_weight(size.height - 1 - y);
    if (x >= kBorderPixels && x + N <= size.width - kBorderPixels) return L::splat(down);
    float weights[N];
    for (int i = 0; i < N; ++i) {
      const int at = smaller(x + i, size.width - 1);
      weights[i] = border_weight(at) * border_weight(size.width - 1 - at) * down;
    }
    return L::load(weights);
  }

  // Where the flow leads from a row: the pixel above and left of it, as a number in its frame, and
  // how far right and below. Outside the frame `right` is -1, and the pixel the flow's own. A pass
  // of its own, so that the reading of pixels need not wait for their numbers.
  struct Targets {
    int32_t* place;
    float *right, *below;
  };

  static void find_targets(const FlowStep& step, int y, const Targets& targets) {
    const Size size = step.size;
    const int pixels = int(step.to.stride / kPixelFloats);
    const float *u = step.flow.row(y, 0), *v = step.flow.row(y, 1);
    for (int x = 0; x < size.width; x += N) {
      const I here = L::iota() + x;
      const F at_x = L::to_floats(here) + L::load(u + x),
              at_y = L::splat(float(y)) + L::load(v + x);
      const I left = L::floor(at_x), top = L::floor(at_y);
      const M inside = L::both(L::below(left, size.width - 1), L::below(top, size.height - 1));
      const I own = L::smaller(here, size.width - 2) + smaller(y, size.height - 2) * pixels;
      L::store_ints(targets.place + x,
                    kPixelFloats * L::select_ints(inside, top * pixels + left, own));
      L::store(targets.right + x, L::select(inside, at_x - L::to_floats(left), L::splat(-1)));
      L::store(targets.below + x, at_y - L::to_floats(top));
    }
  }

  // Row y of the planes of equations, `stride` floats apart. scratch: kTargetRows rows.
  static void compute(const FlowStep& step, int y, float* out, int64_t stride, float* scratch) {
    const Size size = step.size;
    const Pixels from = step.from, to = step.to;
    const Planes flow = step.flow;
    const int64_t floats = row_floats(size.width);
    const Targets targets{reinterpret_cast<int32_t*>(scratch), scratch + floats,
                          scratch + 2 * floats};
    find_targets(step, y, targets);
    const bool weighted = y < kBorderPixels || y >= size.height - kBorderPixels;
    for (int x = 0; x < size.width; x += N, out += N) {
      const F dx = L::load(flow.row(y, 0) + x), dy = L::load(flow.row(y, 1) + x);
      F f[kPixelFloats], s[kPixelFloats];
      Interleave<L>::load(from.row(y) + x * kPixelFloats, f);
      auto& [by, bx, ayy, axx, axy] = f;
      L::bilinear(to.data, to.stride, targets.place + x, targets.right + x, targets.below + x, s);
      const M inside = L::at_least_zero(L::load(targets.right + x));
      if (!L::all(inside)) {
        const F zero = L::splat(0);
        s[0] = L::select(inside, s[0], zero);
        s[1] = L::select(inside, s[1], zero);
        s[2] = L::select(inside, s[2], ayy);
        s[3] = L::select(inside, s[3], axx);
        s[4] = L::select(inside, s[4], axy);
      }
      by = by - s[0];
      bx = bx - s[1];
      ayy = ayy + s[2];
      axx = axx + s[3];
      axy = axy + s[4];
      by = L::fma(ayy, dy, L::fma(axy, dx, by));
      bx = L::fma(axy, dy, L::fma(axx, dx, bx));
      if (weighted || x < kBorderPixels || x + N > size.width - kBorderPixels) {
        const F weight = weights_at(x, y, size);
        by = by * weight;
        bx = bx * weight;
        ayy = ayy * weight;
        axx = axx * weight;
        axy = axy * weight;
      }
      const F mixed = axy * axy;
      L::store(out, L::fma(ayy, ayy, mixed));
      L::store(out + stride, (ayy + axx) * axy);
      L::store(out + 2 * stride, L::fma(axx, axx, mixed));
      L::store(out + 3 * stride, L::fma(ayy, by, axy * bx));
      L::store(out + 4 * stride, L::fma(axy, by, axx * bx));
    }
  }
};

}  // namespace
}  // namespace vmr::video::detail
