// Resampling of one uint8 image with interleaved channels; called by resize() with checked sizes.
#pragma once

#include <cstdint>
#include <vector>

#include "vmr/video/frame.h"

namespace vmr::video::detail {

// Fixed-point weights of one axis: output i is the sum over its taps of source[first[i] + t] *
// weights[i * stride + t], rounded at kWeightBits.
struct AxisTaps {
  std::vector<int32_t> first, count, weights;
  int64_t stride = 0;
};
inline constexpr int kWeightBits = 22;

// What one resize does to every frame of a batch.
struct PillowPlan {
  int64_t h, w, c, height, width;
  AxisTaps horizontal, vertical;  // empty where the size of the axis does not change
  bool vertical_first;
};
PillowPlan pillow_plan(int64_t h, int64_t w, int64_t c, int64_t height, int64_t width,
                       ResizeKernel kernel, PillowVersion version);

// source [h, w, c] -> target [height, width, c]; `between` is scratch that grows as needed. An axis
// whose size does not change is copied, as Pillow does.
void pillow_resize(const uint8_t* source, uint8_t* target, const PillowPlan& plan,
                   std::vector<uint8_t>& between);

void opencv_resize(const uint8_t* source, int64_t h, int64_t w, int64_t c, uint8_t* target,
                   int64_t height, int64_t width, ResizeKernel kernel);

}  // namespace vmr::video::detail
