// The arithmetic of one pixel of Farneback's flow: the readable reference, the CUDA kernels and
// their emulation on the CPU all use it; the CPU's vector code is compared with it.
// Farneback, "Two-frame motion estimation based on polynomial expansion" (2003), with the borders
// and constants of OpenCV's CPU version, which the field's trajectories come from.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/host_device.h"

namespace vmr::video::detail {

// What turns weighted sums of a neighbourhood into its quadratic expansion c + b.x + x'Ax: b is
// linear * (sum of x), A_xx is shared * (sum of 1) + square * (sum of x^2), A_xy is mixed * (sum of
// x y).
struct ExpansionScale {
  float linear, shared, square, mixed;
};

// Weight of a pixel `distance` pixels from a border: the expansion there rests on copied pixels.
inline constexpr int kBorderPixels = 5;
VMR_HOST_DEVICE float border_weight(int distance) {
  return distance < 2 ? 0.14f : distance < kBorderPixels ? 0.4472f : 1.0f;
}
VMR_HOST_DEVICE float border_weight_at(int x, int y, int width, int height) {
  return border_weight(x) * border_weight(width - 1 - x) * border_weight(y) *
         border_weight(height - 1 - y);
}

// Sums of the neighbourhood, weighted by g(x) g(y) and by powers of the offset: one = 1, x = x,
// xx = x^2 and so on.
struct NeighbourhoodSums {
  float one, x, y, xx, yy, xy;
};

// What one frame adds to a pair's equations: b / 2, A / 2 and, of the mixed term, A_xy / 4, because
// the two frames' A are averaged and their b's difference is halved.
struct Expansion {
  float by, bx, ayy, axx, axy;
};

VMR_HOST_DEVICE Expansion expansion_of(const NeighbourhoodSums& s, const ExpansionScale& k) {
  const float linear = k.linear * 0.5f, square = k.square * 0.5f;
  const float part = s.one * (k.shared * 0.5f);
  return {s.y * linear, s.x * linear, part + s.yy * square, part + s.xx * square,
          s.xy * (k.mixed * 0.25f)};
}

// The equations G d = h of one pixel, before they are averaged over the window.
struct Equations {
  float gyy, gxy, gxx, hy, hx;
};

// `from` at the pixel, `to` at the pixel plus its displacement (dx, dy), pixels; `inside` says
// whether that place lies in the picture: if not, `to` is not used.
VMR_HOST_DEVICE Equations equations_of(const Expansion& from, const Expansion& to, bool inside,
                                       float dx, float dy, float weight) {
  float ayy = from.ayy + (inside ? to.ayy : from.ayy);
  float axx = from.axx + (inside ? to.axx : from.axx);
  float axy = from.axy + (inside ? to.axy : from.axy);
  const float gap_y = from.by - (inside ? to.by : 0.0f);
  const float gap_x = from.bx - (inside ? to.bx : 0.0f);
  const float by = (gap_y + ayy * dy + axy * dx) * weight;
  const float bx = (gap_x + axy * dy + axx * dx) * weight;
  ayy *= weight;
  axx *= weight;
  axy *= weight;
  return {ayy * ayy + axy * axy, (ayy + axx) * axy, axx * axx + axy * axy, ayy * by + axy * bx,
          axy * by + axx * bx};
}

struct Displacement {
  float x, y;
};

// a b - c d without the cancellation of two rounded products (Kahan).
VMR_HOST_DEVICE float difference_of_products(float a, float b, float c, float d) {
  const float cd = c * d;
  return fmaf(a, b, -cd) + fmaf(-c, d, cd);
}

// Solves the averaged equations.
VMR_HOST_DEVICE Displacement solve(const Equations& e) {
  const float scale = 1.0f / (difference_of_products(e.gyy, e.gxx, e.gxy, e.gxy) + 1e-3f);
  return {difference_of_products(e.gyy, e.hx, e.gxy, e.hy) * scale,
          difference_of_products(e.gxx, e.hy, e.gxy, e.hx) * scale};
}

// Where a displaced pixel lies between four others: the upper left one and the parts of the way to
// its neighbours. Not inside where one of the four is missing, or the place is no number.
struct BilinearPlace {
  bool inside;
  int x, y;
  float part_x, part_y;
};

VMR_HOST_DEVICE BilinearPlace bilinear_place(float x, float y, int width, int height) {
  const float left = floorf(x), top = floorf(y);
  const bool inside = left >= 0.0f && left < static_cast<float>(width - 1) && top >= 0.0f &&
                      top < static_cast<float>(height - 1);
  // Casting what int cannot hold is undefined.
  return {inside, inside ? static_cast<int>(left) : 0, inside ? static_cast<int>(top) : 0, x - left,
          y - top};
}

// out[j] = the sum of load(j) .. load(j + 2 radius). The places that all windows share are added
// once, the rest from both ends: no subtraction, which would leave rests of large values behind.
template <int kOutputs, class Load>
VMR_HOST_DEVICE void box_sums(int radius, const Load& load, float (&out)[kOutputs]) {
  const int last = 2 * radius;
  if (last < kOutputs - 1) {
    for (int j = 0; j < kOutputs; ++j) {
      float sum = 0;
      for (int k = 0; k <= last; ++k) sum += load(j + k);
      out[j] = sum;
    }
    return;
  }
  float shared = 0, before = 0, after = 0;
  for (int k = kOutputs - 1; k <= last; ++k) shared += load(k);
  out[kOutputs - 1] = shared;
  for (int j = kOutputs - 2; j >= 0; --j) {
    before += load(j);
    out[j] = shared + before;
  }
  for (int j = 1; j < kOutputs; ++j) {
    after += load(last + j);
    out[j] += after;
  }
}

// The Gaussian sum of load(0) .. load(2 radius); weights of the offsets 0..radius.
template <class Load>
VMR_HOST_DEVICE float gaussian_sum(int radius, const float* weights, const Load& load) {
  float sum = weights[0] * load(radius);
  for (int k = 1; k <= radius; ++k) sum += weights[k] * (load(radius - k) + load(radius + k));
  return sum;
}

VMR_HOST_DEVICE float vector_length(float dx, float dy) { return sqrtf(dx * dx + dy * dy); }

// The bin of a vector's direction, bins counted from the right, clockwise on the screen.
VMR_HOST_DEVICE int direction_bin(float dx, float dy, int bins) {
  constexpr double kTurn = 6.283185307179586;
  const int bin = static_cast<int>(floor(atan2f(dy, dx) * (bins / kTurn)));
  return (bin + bins) % bins;
}

}  // namespace vmr::video::detail
