// Farneback's polynomial expansion for vectors of any width. Included by farneback_lanes.h.
#pragma once

#include "video/farneback_interleave.h"

namespace vmr::video::detail {
namespace {

template <class L>
struct Expanding {
  using F = typename L::Floats;
  static constexpr int N = L::kLanes;

  static void expand(const ExpansionView& how, Size size, Planes level, Pixels expansion,
                     float* scratch, int y0, int y1) {
    switch (how.n) {  // the usual ones are unrolled
      case 5:
        return expand_rows<5>(how, size, level, expansion, scratch, y0, y1);
      case 7:
        return expand_rows<7>(how, size, level, expansion, scratch, y0, y1);
      default:
        return expand_rows<0>(how, size, level, expansion, scratch, y0, y1);
    }
  }

  template <int kN>
  static void expand_rows(const ExpansionView& how, Size size, Planes level, Pixels expansion,
                          float* scratch, int y0, int y1) {
    const int n = kN > 0 ? kN : how.n;
    const int64_t floats = row_floats(size.width + 2 * n);
    float* b[3];
    for (int p = 0; p < 3; ++p) b[p] = scratch + p * floats + aligned_pad(n);
    for (int y = y0; y < y1; ++y) {
      const float* centre = level.row(y);
      for (int x = 0; x < size.width; x += N) {
        const F value = L::load(centre + x);
        F one = value * L::splat(how.g[0]), first = L::splat(0), second = first;
#pragma GCC unroll 8
        for (int k = 1; k <= n; ++k) {
          const F up = L::load(level.row(clamped(y - k, size.height)) + x);
          const F low = L::load(level.row(clamped(y + k, size.height)) + x);
          const F sum = up + low;
          one = L::fma(sum, L::splat(how.g[k]), one);
          first = L::fma(low - up, L::splat(how.xg[k]), first);
          second = L::fma(sum, L::splat(how.xxg[k]), second);
        }
        L::store(b[0] + x, one);
        L::store(b[1] + x, first);
        L::store(b[2] + x, second);
      }
      for (float* row : b) replicate_borders(row, size.width, n);
      expand_across<kN>(how, b, size.width, expansion, y);
    }
  }

  struct Sums {
    F one, x, xx, y, yy, xy;
  };

  template <int kK>
  VMR_INLINE void add_neighbours(const ExpansionView& how, const Line<L>& g, const Line<L>& gy,
                                 const Line<L>& gyy, Sums& s) {
    if constexpr (kK > 0) {
      add_neighbours<kK - 1>(how, g, gy, gyy, s);
      add_pair(how, kK, g.template at<-kK>(), g.template at<kK>(), gy.template at<-kK>(),
               gy.template at<kK>(), gyy.template at<-kK>() + gyy.template at<kK>(), s);
    }
  }

  VMR_INLINE void add_pair(const ExpansionView& how, int k, F left, F right, F left_y, F right_y,
                           F both_yy, Sums& s) {
    const F g = L::splat(how.g[k]), xg = L::splat(how.xg[k]), both = left + right;
    s.one = L::fma(both, g, s.one);
    s.x = L::fma(right - left, xg, s.x);
    s.xx = L::fma(both, L::splat(how.xxg[k]), s.xx);
    s.y = L::fma(left_y + right_y, g, s.y);
    s.xy = L::fma(right_y - left_y, xg, s.xy);
    s.yy = L::fma(both_yy, g, s.yy);
  }

  template <int kN>
  static void expand_across(const ExpansionView& how, float* const* b, int width, Pixels expansion,
                            int y) {
    constexpr bool kLines = L::kShifts && kN > 0 && kN <= N;
    Line<L> g{}, gy{}, gyy{};
    if constexpr (kLines) {
      g = Line<L>::begin(b[0]);
      gy = Line<L>::begin(b[1]);
      gyy = Line<L>::begin(b[2]);
    }
    const F zero = L::splat(0), g0 = L::splat(how.g[0]);
    // Half of what the equations need of each frame: see Pixels.
    const F linear = L::splat(how.scale.linear * 0.5f), shared = L::splat(how.scale.shared * 0.5f);
    const F square = L::splat(how.scale.square * 0.5f), mixed = L::splat(how.scale.mixed * 0.25f);
    for (int x = 0; x < width; x += N) {
      Sums s{L::load(b[0] + x) * g0, zero, zero, L::load(b[1] + x) * g0,
             L::load(b[2] + x) * g0, zero};
      if constexpr (kLines) {
        add_neighbours<kN>(how, g, gy, gyy, s);
        g.next(L::load(b[0] + x + 2 * N));
        gy.next(L::load(b[1] + x + 2 * N));
        gyy.next(L::load(b[2] + x + 2 * N));
      } else {
        for (int k = 1; k <= how.n; ++k) {
          add_pair(how, k, L::load(b[0] + x - k), L::load(b[0] + x + k), L::load(b[1] + x - k),
                   L::load(b[1] + x + k), L::load(b[2] + x - k) + L::load(b[2] + x + k), s);
        }
      }
      const F part = s.one * shared;
      const F values[] = {s.y * linear, s.x * linear, L::fma(s.yy, square, part),
                          L::fma(s.xx, square, part), s.xy * mixed};
      Interleave<L>::store(values, expansion.row(y) + x * kPixelFloats);
    }
  }
};

}  // namespace
}  // namespace vmr::video::detail
