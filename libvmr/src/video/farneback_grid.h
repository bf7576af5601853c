// How the CUDA version of Farneback's flow is written: a step is a struct of what its kernel is
// given, and run(phase, place, shared, registers) is what one thread does between two barriers of
// its block. A kernel calls it phase by phase with a barrier between; the tests' emulation calls it
// on the CPU thread by thread. So the CUDA file holds no arithmetic of its own.
//
// Each step has kThreads (of a block), Registers (a thread's values that live over barriers),
// grid(), shared_bytes() and phases(place), the same for all threads of a block.
#pragma once

#include <cstdint>

#include "core/host_device.h"

namespace vmr::video::detail {

struct GridSize {
  int x, y, z;
};

// Of a block in its grid, and of a thread in its block.
struct Place {
  int x, y, z, thread;
};

struct NoRegisters {};

VMR_HOST_DEVICE constexpr int ceil_div(int64_t a, int b) {
  return static_cast<int>((a + b - 1) / b);
}
VMR_HOST_DEVICE constexpr int smaller_of(int a, int b) { return a < b ? a : b; }
VMR_HOST_DEVICE constexpr int larger_of(int a, int b) { return a < b ? b : a; }
VMR_HOST_DEVICE constexpr int clamp_to(int i, int n) { return i < 0 ? 0 : i < n ? i : n - 1; }

struct LevelSize {
  int width, height;
  VMR_HOST_DEVICE int64_t pixels() const { return int64_t(width) * height; }
};

// An AxisFilter of the plan in the memory of the device.
struct FilterTable {
  const int32_t* first;
  const float* weights;  // [taps, stride]
  int stride, inputs, outputs, taps;
  VMR_HOST_DEVICE float weight(int tap, int output) const {
    return weights[int64_t(tap) * stride + output];
  }
};

// b_y, b_x, A_yy, A_xx of an Expansion lie together, for one load of 16 bytes; A_xy apart.
struct alignas(16) FourFloats {
  float a, b, c, d;
};

}  // namespace vmr::video::detail
