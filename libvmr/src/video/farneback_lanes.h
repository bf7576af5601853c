// Farneback's stages for vectors of any width. Each instruction set's file defines a type of lanes
// in an anonymous namespace and instantiates these, so that no code of one set is ever merged with
// another's; for the same reason nothing of the standard library is called here.
//
// Limits: at 320 x 240 a level's planes lie in the second and third cache; what is read per pixel
// and iteration (12 floats, plus two rows of the other frame) passes once.
#pragma once

#include <cstdint>

#include "video/farneback_kernels.h"

namespace vmr::video::detail {
namespace {

inline int smaller(int a, int b) { return a < b ? a : b; }
inline int clamped(int i, int n) { return i < 0 ? 0 : i < n ? i : n - 1; }

// The first pixel of plane p of a set of scratch rows of `floats` each.
inline float* scratch_row(float* scratch, int64_t floats, int64_t p) {
  return scratch + p * floats + kLeftPad;
}

// Where a row with `pad` pixels before its first begins, so that whole vectors are aligned.
inline int64_t aligned_pad(int pad) { return pad <= kLeftPad ? kLeftPad : (pad + 15) / 16 * 16; }

// Copies the border pixel `pad` times to either side.
inline void replicate_borders(float* row, int width, int pad) {
  for (int i = 1; i <= pad; ++i) row[-i] = row[0];
  for (int i = 0; i < pad; ++i) row[width + i] = row[width - 1];
}

// The compiler must not keep vectors in memory between these steps.
#define VMR_INLINE __attribute__((always_inline)) static inline

template <class L>
struct Stages {
  using F = typename L::Floats;
  using I = typename L::Ints;
  using M = typename L::Mask;
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

  static void expand(const ExpansionView& how, Size size, Planes level, Planes expansion,
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
  static void expand_rows(const ExpansionView& how, Size size, Planes level, Planes expansion,
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

  // Three vectors of a row in a line, of which any place can be had without touching memory again.
  struct Line {
    F left, centre, right;
    template <int kOff>
    F at() const {
      if constexpr (kOff == 0) return centre;
      if constexpr (kOff > 0) return L::template shift<kOff>(centre, right);
      return L::template shift<N + kOff>(left, centre);
    }
    void next(const float* p) {
      left = centre;
      centre = right;
      right = L::load(p);
    }
    static Line begin(const float* row) {
      return {L::load(row - N), L::load(row), L::load(row + N)};
    }
  };

  struct Sums {
    F one, x, xx, y, yy, xy;
  };

  template <int kK>
  VMR_INLINE void add_neighbours(const ExpansionView& how, const Line& g, const Line& gy,
                                 const Line& gyy, Sums& s) {
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
  static void expand_across(const ExpansionView& how, float* const* b, int width, Planes expansion,
                            int y) {
    constexpr bool kLines = L::kShifts && kN > 0 && kN <= N;
    Line g{}, gy{}, gyy{};
    if constexpr (kLines) {
      g = Line::begin(b[0]);
      gy = Line::begin(b[1]);
      gyy = Line::begin(b[2]);
    }
    const F zero = L::splat(0), g0 = L::splat(how.g[0]);
    // Half of what the equations need of each frame: see kExpansionPlanes.
    const F linear = L::splat(how.scale.linear * 0.5f), shared = L::splat(how.scale.shared * 0.5f);
    const F square = L::splat(how.scale.square * 0.5f), mixed = L::splat(how.scale.mixed * 0.25f);
    for (int x = 0; x < width; x += N) {
      Sums s{L::load(b[0] + x) * g0, zero, zero, L::load(b[1] + x) * g0,
             L::load(b[2] + x) * g0, zero};
      if constexpr (kLines) {
        add_neighbours<kN>(how, g, gy, gyy, s);
        g.next(b[0] + x + 2 * N);
        gy.next(b[1] + x + 2 * N);
        gyy.next(b[2] + x + 2 * N);
      } else {
        for (int k = 1; k <= how.n; ++k) {
          add_pair(how, k, L::load(b[0] + x - k), L::load(b[0] + x + k), L::load(b[1] + x - k),
                   L::load(b[1] + x + k), L::load(b[2] + x - k) + L::load(b[2] + x + k), s);
        }
      }
      const F part = s.one * shared;
      L::store(expansion.row(y, 0) + x, s.y * linear);
      L::store(expansion.row(y, 1) + x, s.x * linear);
      L::store(expansion.row(y, 2) + x, L::fma(s.yy, square, part));
      L::store(expansion.row(y, 3) + x, L::fma(s.xx, square, part));
      L::store(expansion.row(y, 4) + x, s.xy * mixed);
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

  // ---- the equations of a row ----

  struct Sample {
    F value[kExpansionPlanes];
  };

  // Bilinear in `kRows` rows below `top`: a lane uses rows off_y and off_y + 1, and the places
  // at and at + 1 of the two vectors of each row from `base` on.
  template <int kRows>
  VMR_INLINE void sample_rows(Planes to, int top, int base, I at, I off_y, F fx, F fy,
                              Sample& out) {
    const F one = L::splat(1), zero = L::splat(0);
    F rows[kRows];
    if constexpr (kRows == 2) {
      rows[0] = one - fy;
      rows[1] = fy;
    } else {
      const M upper = L::equal(off_y, L::splat_int(0));
      rows[0] = L::select(upper, one - fy, zero);
      rows[1] = L::select(upper, fy, one - fy);
      rows[2] = L::select(upper, zero, fy);
    }
    const F left = one - fx;
    const I next = at + 1;
#pragma GCC unroll 5
    for (int p = 0; p < kExpansionPlanes; ++p) {
      F sum = zero;
#pragma GCC unroll 3
      for (int r = 0; r < kRows; ++r) {
        const float* row = to.row(top + r, p) + base;
        const F low = L::load(row), high = L::load(row + N);
        sum = L::fma(L::permute(low, high, at), rows[r] * left, sum);
        sum = L::fma(L::permute(low, high, next), rows[r] * fx, sum);
      }
      out.value[p] = sum;
    }
  }

  __attribute__((noinline)) static void sample_anywhere(Planes to, I x, I y, F fx, F fy,
                                                        Sample& out) {
    const F one = L::splat(1), up = one - fy, left = one - fx, zero = L::splat(0);
    const I at = y * int(to.stride * kExpansionPlanes) + x;
    for (int p = 0; p < kExpansionPlanes; ++p) {
      const float *upper = to.row(0, p), *lower = to.row(1, p);
      F sum = L::fma(L::gather(upper, at), up * left, zero);
      sum = L::fma(L::gather(upper + 1, at), up * fx, sum);
      sum = L::fma(L::gather(lower, at), fy * left, sum);
      out.value[p] = L::fma(L::gather(lower + 1, at), fy * fx, sum);
    }
  }

  // Neighbouring pixels move alike: most vectors find all their places in two or three rows and two
  // vectors of each, which is 4 times as fast as gathering them one by one. All ways give the same
  // bits: a row that a lane does not use is added with weight 0.
  VMR_INLINE void sample(Planes to, I x, I y, F fx, F fy, Sample& out) {
    if constexpr (L::kPermutes) {
      const int x0 = L::first(x), y0 = L::first(y);
      // Two whole vectors, when they hold all places: a load across two cache lines costs twice.
      int base = x0 & -N;
      I at = x - base;
      if (!L::all(L::below(at, 2 * N - 1))) {
        base = x0 - (N / 2 - 1);
        at = x - base;
      }
      if (L::all(L::below(at, 2 * N - 1))) {
        const I off_y = y - y0;
        if (L::all(L::equal(off_y, L::splat_int(0)))) {
          return sample_rows<2>(to, y0, base, at, off_y, fx, fy, out);
        }
        const int top = L::all(L::below(off_y, 2)) ? y0 : y0 - 1;
        const I off_top = y - top;
        if (L::all(L::below(off_top, 2))) {
          return sample_rows<3>(to, top, base, at, off_top, fx, fy, out);
        }
      }
    }
    sample_anywhere(to, x, y, fx, fy, out);
  }

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

  static void equations_row(Size size, Planes from, Planes to, Planes flow, int y, float* out,
                            int64_t stride) {
    const bool weighted = y < kBorderPixels || y >= size.height - kBorderPixels;
    for (int x = 0; x < size.width; x += N, out += N) {
      const F dx = L::load(flow.row(y, 0) + x), dy = L::load(flow.row(y, 1) + x);
      const I here = L::iota() + x;
      const F at_x = L::to_floats(here) + dx, at_y = L::splat(float(y)) + dy;
      const I x1 = L::floor(at_x), y1 = L::floor(at_y);
      const F fx = at_x - L::to_floats(x1), fy = at_y - L::to_floats(y1);
      const M inside = L::both(L::below(x1, size.width - 1), L::below(y1, size.height - 1));
      F by = L::load(from.row(y, 0) + x), bx = L::load(from.row(y, 1) + x);
      F ayy = L::load(from.row(y, 2) + x), axx = L::load(from.row(y, 3) + x);
      F axy = L::load(from.row(y, 4) + x);
      const bool all_inside = L::all(inside);
      I sx = x1, sy = y1;
      if (!all_inside) {
        // Places outside are not used: they take the pixel's own, which lies near the others.
        sx = L::select_ints(inside, x1, L::smaller(here, size.width - 2));
        sy = L::select_ints(inside, y1, L::splat_int(smaller(y, size.height - 2)));
      }
      Sample s;
      sample(to, sx, sy, fx, fy, s);
      if (!all_inside) {
        const F zero = L::splat(0);
        s = {L::select(inside, s.value[0], zero), L::select(inside, s.value[1], zero),
             L::select(inside, s.value[2], ayy), L::select(inside, s.value[3], axx),
             L::select(inside, s.value[4], axy)};
      }
      by = by - s.value[0];
      bx = bx - s.value[1];
      ayy = ayy + s.value[2];
      axx = axx + s.value[3];
      axy = axy + s.value[4];
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

  // ---- averages over the window, and the solution ----

  struct Scratch {
    int64_t stride;       // of a plane's row
    float *block, *next;  // rows of equations, kEquationPlanes planes each
    float *running, *sums;
    float* across;  // kAcrossRows rows
    float* row(float* rows, int i) const { return rows + i * kEquationPlanes * stride; }
  };

  static Scratch scratch_of(float* scratch, int width, int radius) {
    Scratch s;
    s.stride = row_floats(width + 2 * radius);
    const int64_t row = kEquationPlanes * s.stride, block = window_rows(radius) * row;
    s.block = scratch + kLeftPad;
    s.next = s.block + block;
    s.running = s.block + 2 * block;
    s.sums = s.running + row - kLeftPad + aligned_pad(radius);
    s.across = s.running + 2 * row;
    return s;
  }

  // to = to + row
  static void add_rows(float* to, const float* row, int64_t stride, int width) {
    for (int p = 0; p < kEquationPlanes; ++p, to += stride, row += stride) {
      for (int x = 0; x < width; x += N) L::store(to + x, L::load(to + x) + L::load(row + x));
    }
  }

  // running = running + row (kRows > 1), or row (1), or nothing (0); sums = rest + running.
  template <int kRows>
  static void sum_down(float* running, const float* row, const float* rest, int width,
                       float* sums) {
    for (int x = 0; x < width; x += N) {
      F sum = L::load(rest + x);
      if constexpr (kRows > 0) {
        F below = L::load(row + x);
        if constexpr (kRows > 1) below = below + L::load(running + x);
        L::store(running + x, below);
        sum = sum + below;
      }
      L::store(sums + x, sum);
    }
  }

  static void solve_row(const float* sums, int64_t stride, F weight, int width, Planes next,
                        int y) {
    const F small = L::splat(1e-3f), one = L::splat(1);
    float *u = next.row(y, 0), *v = next.row(y, 1);
    for (int x = 0; x < width; x += N) {
      const F gyy = L::load(sums + x) * weight, gxy = L::load(sums + stride + x) * weight;
      const F gxx = L::load(sums + 2 * stride + x) * weight;
      const F hy = L::load(sums + 3 * stride + x) * weight;
      const F hx = L::load(sums + 4 * stride + x) * weight;
      const F scale = one / (L::product_difference(gyy, gxx, gxy, gxy) + small);
      L::store(u + x, L::product_difference(gyy, hx, gxy, hy) * scale);
      L::store(v + x, L::product_difference(gxx, hy, gxy, hx) * scale);
    }
    // The spare floats are read as vectors of pixels that are outside.
    for (int x = width; x % N != 0; ++x) u[x] = v[x] = 0;
  }

  // Sums of 2 radius + 1 neighbours by doubling: lengths 1, 2, 4, ... are added where the window's
  // length has that bit.
  static void box_across(const float* row, int radius, int width, float* room, int64_t stride,
                         float* out) {
    const int length = 2 * radius + 1;
    const float* power = row - radius;  // sums of 1, 2, 4, ... from each place on
    int begin = 0;                      // of what is not added yet
    bool first = true;
    for (int size = 1, turn = 0; size <= length; size *= 2, ++turn) {
      if (length & size) {
        for (int x = 0; x < width; x += N) {
          const F part = L::load(power + begin + x);
          L::store(out + x, first ? part : L::load(out + x) + part);
        }
        first = false;
        begin += size;
      }
      if (2 * size > length) break;
      float* doubled = room + (turn % 2) * stride;
      for (int x = 0; x <= width + 2 * radius - 2 * size; x += N) {
        L::store(doubled + x, L::load(power + x) + L::load(power + size + x));
      }
      power = doubled;
    }
  }

  // The usual window of 15 in one pass over the row: 3 neighbours, then 5 of those.
  static void box_across_15(const float* row, int width, float* room, float* out) {
    if constexpr (L::kShifts) {
      Line line = Line::begin(row - N);
      const auto three = [&] {
        return line.template at<-1>() + line.centre + line.template at<1>();
      };
      Line threes{};
      threes.centre = three();
      line.next(row + N);
      threes.right = three();
      for (int x = 0; x < width; x += N) {
        line.next(row + x + 2 * N);
        threes.left = threes.centre;
        threes.centre = threes.right;
        threes.right = three();
        L::store(out + x, (threes.template at<-6>() + threes.template at<-3>()) +
                              (threes.template at<3>() + threes.template at<6>()) + threes.centre);
      }
    } else {
      const float* begin = row - 7;
      for (int x = 0; x < width + 12; x += N) {
        L::store(room + x, L::load(begin + x) + L::load(begin + x + 1) + L::load(begin + x + 2));
      }
      for (int x = 0; x < width; x += N) {
        L::store(out + x, (L::load(room + x) + L::load(room + x + 3)) +
                              (L::load(room + x + 9) + L::load(room + x + 12)) +
                              L::load(room + x + 6));
      }
    }
  }

  static void iterate(const WindowView& window, Size size, Planes from, Planes to, Planes flow,
                      Planes next, float* scratch, int y0, int y1) {
    const Scratch room = scratch_of(scratch, size.width, window.radius);
    if (window.weights) {
      iterate_gaussian(window, size, from, to, flow, next, room, y0, y1);
    } else {
      iterate_box(window, size, from, to, flow, next, room, y0, y1);
    }
  }

  static void iterate_box(const WindowView& window, Size size, Planes from, Planes to, Planes flow,
                          Planes next, Scratch s, int y0, int y1) {
    const int radius = window.radius, rows = window_rows(radius), width = size.width;
    float* solved = s.across + 2 * s.stride;
    const F weight = L::splat(window.box_weight);
    int last = -1;  // the row of the picture computed last
    const float* last_row = nullptr;
    const auto fill = [&](int y, float* row) {
      const int at = clamped(y, size.height);
      if (at == last) {  // rows beyond the border repeat it
        for (int p = 0; p < kEquationPlanes; ++p) {
          for (int x = 0; x < width; x += N) {
            L::store(row + p * s.stride + x, L::load(last_row + p * s.stride + x));
          }
        }
      } else {
        equations_row(size, from, to, flow, at, row, s.stride);
      }
      last = at;
      last_row = row;
    };
    for (int i = 0; i < rows; ++i) fill(y0 - radius + i, s.row(s.block, i));
    for (int begin = y0; begin < y1; begin += rows) {
      // The window of row begin + i is the rest of this block from i on, and the next block's
      // first i rows: sums without a subtraction, so that nothing of a strong edge stays behind
      // in flat rows below it.
      for (int i = rows - 2; i >= 0; --i) {
        add_rows(s.row(s.block, i), s.row(s.block, i + 1), s.stride, width);
      }
      for (int i = 0; i < rows && begin + i < y1; ++i) {
        float* row = s.row(s.next, i - 1);
        if (i > 0) fill(begin + i + radius, row);
        for (int p = 0; p < kEquationPlanes; ++p) {
          const int64_t plane = p * s.stride;
          float *sums = s.sums + plane, *running = s.running + plane, *out = solved + plane;
          const float* rest = s.row(s.block, i) + plane;
          if (i == 0) {
            sum_down<0>(nullptr, nullptr, rest, width, sums);
          } else if (i == 1) {
            sum_down<1>(running, row + plane, rest, width, sums);
          } else {
            sum_down<2>(running, row + plane, rest, width, sums);
          }
          replicate_borders(sums, width, radius);
          if (radius == 7) {
            box_across_15(sums, width, s.across, out);
          } else {
            box_across(sums, radius, width, s.across, s.stride, out);
          }
        }
        solve_row(solved, s.stride, weight, width, next, begin + i);
      }
      if (begin + rows < y1) {
        fill(begin + rows + radius, s.row(s.next, rows - 1));
        float* swapped = s.block;
        s.block = s.next;
        s.next = swapped;
      }
    }
  }

  static void gaussian_across(const float* row, const WindowView& window, int width, float* out) {
    for (int x = 0; x < width; x += N) {
      F sum = L::load(row + x) * L::splat(window.weights[0]);
      for (int k = 1; k <= window.radius; ++k) {
        sum = L::fma(L::load(row + x - k) + L::load(row + x + k), L::splat(window.weights[k]), sum);
      }
      L::store(out + x, sum);
    }
  }

  static void iterate_gaussian(const WindowView& window, Size size, Planes from, Planes to,
                               Planes flow, Planes next, const Scratch& s, int y0, int y1) {
    const int radius = window.radius, rows = window_rows(radius), width = size.width;
    float* solved = s.across + 2 * s.stride;
    int ready = clamped(y0 - radius, size.height);  // rows above are in the ring
    for (int y = y0; y < y1; ++y) {
      for (; ready <= clamped(y + radius, size.height); ++ready) {
        equations_row(size, from, to, flow, ready, s.row(s.block, ready % rows), s.stride);
      }
      for (int p = 0; p < kEquationPlanes; ++p) {
        float* sums = s.sums + p * s.stride;
        const auto ring = [&](int at) {
          return s.row(s.block, clamped(at, size.height) % rows) + p * s.stride;
        };
        for (int x = 0; x < width; x += N) {
          F sum = L::load(ring(y) + x) * L::splat(window.weights[0]);
          for (int k = 1; k <= radius; ++k) {
            sum = L::fma(L::load(ring(y - k) + x) + L::load(ring(y + k) + x),
                         L::splat(window.weights[k]), sum);
          }
          L::store(sums + x, sum);
        }
        replicate_borders(sums, width, radius);
        gaussian_across(sums, window, width, solved + p * s.stride);
      }
      solve_row(solved, s.stride, L::splat(1), width, next, y);
    }
  }

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
    return {name, shrink, expand, enlarge, iterate, lengths};
  }
};

#undef VMR_INLINE

}  // namespace
}  // namespace vmr::video::detail
