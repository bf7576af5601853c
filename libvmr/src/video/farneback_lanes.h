// Farneback's stages for vectors of any width: what each instruction set's file instantiates with
// its lanes.
#pragma once

#include "video/farneback_expand.h"
#include "video/farneback_resize.h"
#include "video/farneback_window.h"

namespace vmr::video::detail {
namespace {

template <class L>
struct Stages {
  using F = typename L::Floats;
  static constexpr int N = L::kLanes;

  static double lengths(Size size, Planes flow) {
    double total = 0;
    for (int y = 0; y < size.height; ++y) {
      const float *u = flow.row(y, 0), *v = flow.row(y, 1);
      F sum = L::splat(0);
      int x = 0;
      for (; x + N <= size.width; x += N) {
        const F dx = L::load(u + x), dy = L::load(v + x);
        sum = sum + L::root(L::fma(dx, dx, dy * dy));
      }
      float lanes[N];
      L::store(lanes, sum);
      for (const float lane : lanes) total += lane;
      for (; x < size.width; ++x) total += __builtin_sqrtf(u[x] * u[x] + v[x] * v[x]);
    }
    return total;
  }

  static constexpr FarnebackKernels kernels(const char* name) {
    return {
        name,   Resizing<L>::shrink, Expanding<L>::expand, Resizing<L>::enlarge, Window<L>::iterate,
        lengths};
  }
};

}  // namespace
}  // namespace vmr::video::detail
