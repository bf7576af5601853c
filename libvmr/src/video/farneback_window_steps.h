// An iteration with a window that does not fit IterateStep, as steps of farneback_grid.h:
// equations, sums down, then sums across and solutions, through memory.
#pragma once

#include "video/farneback_solve_steps.h"

namespace vmr::video::detail {

inline constexpr int kMaxRadius = 512;

struct EquationsStep {
  PairView from;
  float* equations;  // [pairs, 5, h, w]
  int pairs;

  static constexpr int kColumns = 32, kRows = 8, kThreads = kColumns * kRows;
  using Registers = NoRegisters;
  GridSize grid() const {
    return {ceil_div(from.size.width, kColumns), ceil_div(from.size.height, kRows), pairs};
  }
  int shared_bytes() const { return 0; }
  VMR_HOST_DEVICE int phases(Place) const { return 1; }
  VMR_HOST_DEVICE void run(int, Place at, void*, Registers&) const {
    const int x = at.x * kColumns + at.thread % kColumns, y = at.y * kRows + at.thread / kColumns;
    if (x >= from.size.width || y >= from.size.height) return;
    const Equations e = from.equations(at.z, x, y);
    const int64_t pixels = from.size.pixels();
    float* out = equations + kEquations * at.z * pixels + int64_t(y) * from.size.width + x;
    out[0] = e.gyy;
    out[pixels] = e.gxy;
    out[2 * pixels] = e.gxx;
    out[3 * pixels] = e.hy;
    out[4 * pixels] = e.hx;
  }
};

template <bool kGaussian>
struct SumDownStep {
  const float* values;  // [planes, h, w]
  Window<kGaussian, kMaxRadius + 1> window;
  LevelSize size;
  float* sums;  // [planes, h, w]
  int planes;

  static constexpr int kColumns = 32, kStrip = 8, kThreads = 256,
                       kRows = kThreads / kColumns * kStrip;
  using Registers = NoRegisters;
  GridSize grid() const {
    return {ceil_div(size.width, kColumns), ceil_div(size.height, kRows), planes};
  }
  int shared_bytes() const { return 0; }
  VMR_HOST_DEVICE int phases(Place) const { return 1; }
  VMR_HOST_DEVICE void run(int, Place at, void*, Registers&) const {
    const int x = at.x * kColumns + at.thread % kColumns;
    const int top = at.y * kRows + at.thread / kColumns * kStrip;
    if (x >= size.width || top >= size.height) return;
    const float* column = values + at.z * size.pixels() + x;
    float out[kStrip];
    window.template sums<kStrip>(
        window.radius,
        [&](int k) {
          return column[int64_t(clamp_to(top + k - window.radius, size.height)) * size.width];
        },
        out);
    float* to = sums + at.z * size.pixels() + x;
    for (int i = 0; i < kStrip && top + i < size.height; ++i)
      to[int64_t(top + i) * size.width] = out[i];
  }
};

template <bool kGaussian>
struct SumAcrossStep {
  const float* sums;  // [pairs, 5, h, w]
  Window<kGaussian, kMaxRadius + 1> window;
  LevelSize size;
  float* next;
  int pairs;

  static constexpr int kColumns = 128, kRows = 2, kAcross = 4, kLanes = kColumns / kAcross,
                       kThreads = kLanes * kRows;
  using Registers = NoRegisters;
  GridSize grid() const {
    return {ceil_div(size.width, kColumns), ceil_div(size.height, kRows), pairs};
  }
  // A gap every 32 floats: lanes, 4 floats apart, fall into different banks.
  VMR_HOST_DEVICE static int skewed(int i) { return i + i / 32; }
  VMR_HOST_DEVICE int stride() const { return skewed(kColumns + 2 * window.radius); }
  int shared_bytes() const { return kRows * kEquations * stride() * int(sizeof(float)); }
  VMR_HOST_DEVICE int phases(Place) const { return 2; }
  VMR_HOST_DEVICE void run(int phase, Place at, void* shared, Registers&) const {
    const int row = at.thread / kLanes, lane = at.thread % kLanes, y = at.y * kRows + row;
    float* rows = static_cast<float*>(shared) + row * kEquations * stride();
    if (y >= size.height) return;
    if (phase == 0) {
      for (int p = 0; p < kEquations; ++p) {
        const float* from =
            sums + (int64_t(at.z) * kEquations + p) * size.pixels() + int64_t(y) * size.width;
        for (int i = lane; i < kColumns + 2 * window.radius; i += kLanes) {
          rows[p * stride() + skewed(i)] =
              from[clamp_to(at.x * kColumns + i - window.radius, size.width)];
        }
      }
      return;
    }
    FourSolutions solutions;
    VMR_UNROLL
    for (int p = 0; p < kEquations; ++p) {
      const float* values = rows + p * stride();
      window.template sums<kAcross>(
          window.radius, [&](int k) { return values[skewed(lane * kAcross + k)]; },
          solutions.sums[p]);
    }
    solutions.write(kGaussian ? 1.0f : window.box_weight, next, size, at.z,
                    at.x * kColumns + lane * kAcross, y);
  }
};

}  // namespace vmr::video::detail
