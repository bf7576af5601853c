// Farneback's arithmetic for one pixel, written once: the readable reference, its emulation in
// tests and the CUDA kernels call these functions; the vector code follows them line by line.
// Farneback, "Two-frame motion estimation based on polynomial expansion" (2003), with the borders
// and constants of OpenCV's CPU version, which the field's trajectories come from.
#pragma once

#ifdef __CUDACC__
#define VMR_HOST_DEVICE __host__ __device__
#else
#define VMR_HOST_DEVICE
#endif

namespace vmr::video::detail {

// The expansion f(x, y) ~ c + b.x + x'Ax around a pixel; c is not needed.
struct Expansion {
  float by, bx, ayy, axx, axy;
};

// What turns the six sums below into an expansion.
struct ExpansionScale {
  float linear, shared, square, mixed;
};

// Sums of the neighbourhood, weighted by g(x) g(y) and by powers of the offset: one = 1, x = x,
// xx = x^2 and so on.
struct NeighbourhoodSums {
  float one, x, y, xx, yy, xy;
};

VMR_HOST_DEVICE inline Expansion expansion_of(const NeighbourhoodSums& s, const ExpansionScale& k) {
  return {s.y * k.linear, s.x * k.linear, s.one * k.shared + s.yy * k.square,
          s.one * k.shared + s.xx * k.square, s.xy * k.mixed};
}

// The equations G d = h of one pixel, before they are averaged over the window.
struct Equations {
  float gyy, gxy, gxx, hy, hx;
};

// Weight of a pixel `distance` pixels from a border: the expansion there rests on copied pixels.
inline constexpr int kBorderPixels = 5;
VMR_HOST_DEVICE inline float border_weight(int distance) {
  return distance < 2 ? 0.14f : distance < kBorderPixels ? 0.4472f : 1.0f;
}

VMR_HOST_DEVICE inline float border_weight_at(int x, int y, int width, int height) {
  return border_weight(x) * border_weight(width - 1 - x) * border_weight(y) *
         border_weight(height - 1 - y);
}

// `from` at the pixel, `to` at the pixel plus its displacement (dx, dy), pixels; `inside` says
// whether that place lies in the picture: if not, `to` is not used.
VMR_HOST_DEVICE inline Equations equations_of(const Expansion& from, const Expansion& to,
                                              bool inside, float dx, float dy, float weight) {
  float ayy = from.ayy, axx = from.axx, axy = from.axy * 0.5f;
  float by = from.by * 0.5f, bx = from.bx * 0.5f;
  if (inside) {
    ayy = (from.ayy + to.ayy) * 0.5f;
    axx = (from.axx + to.axx) * 0.5f;
    axy = (from.axy + to.axy) * 0.25f;
    by = (from.by - to.by) * 0.5f;
    bx = (from.bx - to.bx) * 0.5f;
  }
  by = (by + ayy * dy + axy * dx) * weight;
  bx = (bx + axy * dy + axx * dx) * weight;
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
VMR_HOST_DEVICE inline float difference_of_products(float a, float b, float c, float d) {
  const float cd = c * d;
  return __builtin_fmaf(a, b, -cd) + __builtin_fmaf(-c, d, cd);
}

// Solves the averaged equations.
VMR_HOST_DEVICE inline Displacement solve(const Equations& e) {
  const float scale = 1.0f / (difference_of_products(e.gyy, e.gxx, e.gxy, e.gxy) + 1e-3f);
  return {difference_of_products(e.gyy, e.hx, e.gxy, e.hy) * scale,
          difference_of_products(e.gxx, e.hy, e.gxy, e.hx) * scale};
}

}  // namespace vmr::video::detail
