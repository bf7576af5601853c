// Two passes with 8 bits between them, weights rounded to 22 bits: the scheme whose rounding
// decides each bit of Pillow's result.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "video/resize_kernels.h"

namespace vmr::video::detail {
namespace {

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

uint8_t to_byte(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kWeightBits, int32_t{0}, int32_t{255}));
}

template <int channels>
void horizontal_channels(const uint8_t* source, uint8_t* target, const AxisTaps& taps) {
  const auto width = static_cast<int64_t>(taps.first.size());
  for (int64_t x = 0; x < width; ++x) {
    const uint8_t* pixel = source + taps.first[x] * channels;
    const int32_t* weight = taps.weights.data() + x * taps.stride;
    int32_t sum[channels];
    for (int k = 0; k < channels; ++k) sum[k] = 1 << (kWeightBits - 1);
    for (int32_t t = 0; t < taps.count[x]; ++t, pixel += channels)
      for (int k = 0; k < channels; ++k) sum[k] += pixel[k] * weight[t];
    for (int k = 0; k < channels; ++k) target[x * channels + k] = to_byte(sum[k]);
  }
}

void horizontal_row(const uint8_t* source, uint8_t* target, const AxisTaps& taps, int64_t c) {
  switch (c) {
    case 1:
      return horizontal_channels<1>(source, target, taps);
    case 2:
      return horizontal_channels<2>(source, target, taps);
    case 3:
      return horizontal_channels<3>(source, target, taps);
    default:
      return horizontal_channels<4>(source, target, taps);
  }
}

// Tiles of a fixed number of bytes, so that the sums stay in registers.
template <int tile>
void vertical_tile(const uint8_t* source, uint8_t* target, int64_t row_bytes,
                   const int32_t* weights, int32_t taps) {
  int32_t sum[tile];
  for (int i = 0; i < tile; ++i) sum[i] = 1 << (kWeightBits - 1);
  for (int32_t t = 0; t < taps; ++t, source += row_bytes)
    for (int i = 0; i < tile; ++i) sum[i] += source[i] * weights[t];
  for (int i = 0; i < tile; ++i) target[i] = to_byte(sum[i]);
}

void vertical_pass(const uint8_t* source, uint8_t* target, int64_t row_bytes,
                   const AxisTaps& taps) {
  constexpr int kTile = 32;
  for (size_t y = 0; y < taps.first.size(); ++y, target += row_bytes) {
    const uint8_t* row = source + taps.first[y] * row_bytes;
    const int32_t* weights = taps.weights.data() + static_cast<int64_t>(y) * taps.stride;
    int64_t x = 0;
    for (; x + kTile <= row_bytes; x += kTile)
      vertical_tile<kTile>(row + x, target + x, row_bytes, weights, taps.count[y]);
    for (; x < row_bytes; ++x)
      vertical_tile<1>(row + x, target + x, row_bytes, weights, taps.count[y]);
  }
}

// Pillow's weights for resampling `in` pixels to `out`.
AxisTaps pillow_taps(int64_t in, int64_t out, ResizeKernel kernel) {
  const bool is_cubic = kernel == ResizeKernel::pillow_bicubic;
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double stretch = std::max(scale, 1.0);  // shrinking widens the kernel: antialiasing
  const double support = (is_cubic ? 2.0 : 1.0) * stretch;
  AxisTaps taps;
  taps.stride = static_cast<int64_t>(std::ceil(support)) * 2 + 1;
  taps.first.resize(out);
  taps.count.resize(out);
  taps.weights.assign(out * taps.stride, 0);
  std::vector<double> exact(taps.stride);
  for (int64_t i = 0; i < out; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<int64_t>(0, static_cast<int64_t>(center - support + 0.5));
    const auto end = std::min<int64_t>(in, static_cast<int64_t>(center + support + 0.5));
    double total = 0.0;
    for (int64_t t = 0; t < end - first; ++t) {
      const double x = (static_cast<double>(t + first) - center + 0.5) * (1.0 / stretch);
      exact[t] = is_cubic ? cubic(x) : triangle(x);
      total += exact[t];
    }
    for (int64_t t = 0; t < end - first; ++t) {
      const double weight = (total != 0.0 ? exact[t] / total : exact[t]) * (1 << kWeightBits);
      taps.weights[i * taps.stride + t] =
          static_cast<int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    taps.first[i] = static_cast<int32_t>(first);
    taps.count[i] = static_cast<int32_t>(end - first);
  }
  return taps;
}

void horizontal_pass(const uint8_t* source, uint8_t* target, int64_t rows, int64_t w, int64_t width,
                     int64_t c, const AxisTaps& taps) {
  for (int64_t y = 0; y < rows; ++y)
    horizontal_row(source + y * w * c, target + y * width * c, taps, c);
}

}  // namespace

PillowPlan pillow_plan(int64_t h, int64_t w, int64_t c, int64_t height, int64_t width,
                       ResizeKernel kernel, PillowVersion version) {
  PillowPlan plan{.h = h, .w = w, .c = c, .height = height, .width = width};
  if (width != w) plan.horizontal = pillow_taps(w, width, kernel);
  if (height != h) plan.vertical = pillow_taps(h, height, kernel);
  plan.vertical_first =
      version == PillowVersion::from_13 && height < h && h - height > 2 * (w - width);
  return plan;
}

void pillow_resize(const uint8_t* source, uint8_t* target, const PillowPlan& plan,
                   std::vector<uint8_t>& between) {
  const int64_t c = plan.c;
  if (plan.width == plan.w && plan.height == plan.h) {
    std::memcpy(target, source, plan.h * plan.w * c);
  } else if (plan.width == plan.w) {
    vertical_pass(source, target, plan.w * c, plan.vertical);
  } else if (plan.height == plan.h) {
    horizontal_pass(source, target, plan.h, plan.w, plan.width, c, plan.horizontal);
  } else if (plan.vertical_first) {
    between.resize(plan.height * plan.w * c);
    vertical_pass(source, between.data(), plan.w * c, plan.vertical);
    horizontal_pass(between.data(), target, plan.height, plan.w, plan.width, c, plan.horizontal);
  } else {
    between.resize(plan.h * plan.width * c);
    horizontal_pass(source, between.data(), plan.h, plan.w, plan.width, c, plan.horizontal);
    vertical_pass(between.data(), target, plan.width * c, plan.vertical);
  }
}

}  // namespace vmr::video::detail
