// From pictures to expansions of one pyramid level, as steps of farneback_grid.h. Frames of a chunk
// are numbered by slots.
#pragma once

#include "video/farneback_grid.h"
#include "video/farneback_pixel.h"
#include "video/grey_pixel.h"

namespace vmr::video::detail {

struct GreyStep {
  const uint8_t* const* pictures;  // by slot, [h, w, 3]
  uint8_t* grey;                   // [slots, h, w]
  int64_t pixels;
  int slots;

  static constexpr int kThreads = 256;
  using Registers = NoRegisters;
  GridSize grid() const { return {ceil_div(pixels, kThreads), 1, slots}; }
  int shared_bytes() const { return 0; }
  VMR_HOST_DEVICE int phases(Place) const { return 1; }
  VMR_HOST_DEVICE void run(int, Place at, void*, Registers&) const {
    const int64_t pixel = int64_t(at.x) * kThreads + at.thread;
    if (pixel < pixels) {
      grey[at.z * pixels + pixel] = grey_of(pictures[at.z] + 3 * pixel, kRgbWeights);
    }
  }
};

// A level from the full pictures: a block filters the columns that it needs downwards, a span of
// them at a time, and adds from each span what its pixels take across.
struct ShrinkStep {
  const uint8_t* const* pictures;  // by slot, [h, w]; null: they are in `grey`
  const uint8_t* grey;             // [slots, h, w]
  int64_t picture_pixels;
  FilterTable across, down;
  float* level;  // [slots, down.outputs, across.outputs]
  int slots;

  static constexpr int kColumns = 32, kRows = 8, kThreads = kColumns * kRows, kSpan = 320;
  struct Registers {
    float sum = 0;
  };
  GridSize grid() const {
    return {ceil_div(across.outputs, kColumns), ceil_div(down.outputs, kRows), slots};
  }
  int shared_bytes() const { return kRows * kSpan * int(sizeof(float)); }

  VMR_HOST_DEVICE int begin(Place at) const { return across.first[at.x * kColumns]; }
  VMR_HOST_DEVICE int end(Place at) const {
    return across.first[smaller_of((at.x + 1) * kColumns, across.outputs) - 1] + across.taps;
  }
  VMR_HOST_DEVICE int phases(Place at) const { return 2 * ceil_div(end(at) - begin(at), kSpan); }

  VMR_HOST_DEVICE void run(int phase, Place at, void* shared, Registers& registers) const {
    const int left = begin(at) + phase / 2 * kSpan, right = smaller_of(left + kSpan, end(at));
    const int row = at.thread / kColumns, lane = at.thread % kColumns;
    const int y = at.y * kRows + row, x = at.x * kColumns + lane;
    float* sums = static_cast<float*>(shared) + row * kSpan;
    if (y >= down.outputs) return;
    if (phase % 2 == 0) {
      const uint8_t* picture = pictures ? pictures[at.z] : grey + at.z * picture_pixels;
      picture += int64_t(down.first[y]) * across.inputs;
      for (int column = left + lane; column < right; column += kColumns) {
        float sum = 0;
        for (int k = 0; k < down.taps; ++k) {
          sum += down.weight(k, y) * float(picture[int64_t(k) * across.inputs + column]);
        }
        sums[column - left] = sum;
      }
      return;
    }
    if (x >= across.outputs) return;
    const int first = across.first[x], last = smaller_of(first + across.taps, right);
    for (int column = larger_of(first, left); column < last; ++column) {
      registers.sum += across.weight(column - first, x) * sums[column - left];
    }
    if (right == end(at))
      level[(int64_t(at.z) * down.outputs + y) * across.outputs + x] = registers.sum;
  }
};

inline constexpr int kMaxPolyN = 64;

// kN: the radius where the compiler is to know it; 0: any.
template <int kN>
struct ExpandStep {
  float g[kMaxPolyN + 1], xg[kMaxPolyN + 1], xxg[kMaxPolyN + 1];  // weights of offsets 0..n
  int any_n;
  ExpansionScale scale;
  LevelSize size;
  const float* level;  // [slots, h, w]
  FourFloats* four;    // [slots, h, w]
  float* mixed;        // [slots, h, w]
  int slots;

  // Strips of rows share what they load; (32 + 2 * 5) columns of 6 strips occupy 252 threads.
  static constexpr int kColumns = 32, kStrip = 4, kRows = 6 * kStrip, kThreads = 256;
  using Registers = NoRegisters;
  GridSize grid() const {
    return {ceil_div(size.width, kColumns), ceil_div(size.height, kRows), slots};
  }
  VMR_HOST_DEVICE int n() const { return kN > 0 ? kN : any_n; }
  VMR_HOST_DEVICE int stride() const { return kColumns + 2 * n(); }
  int shared_bytes() const { return 3 * kRows * stride() * int(sizeof(float)); }
  VMR_HOST_DEVICE int phases(Place) const { return 2; }

  VMR_HOST_DEVICE void run(int phase, Place at, void* shared, Registers&) const {
    float* sums = static_cast<float*>(shared);
    if (phase == 0) {
      const int items = stride() * (kRows / kStrip);
      for (int i = at.thread; i < items; i += kThreads)
        down(at, i % stride(), i / stride() * kStrip, sums);
    } else {
      for (int i = at.thread; i < kColumns * kRows; i += kThreads)
        across(at, i % kColumns, i / kColumns, sums);
    }
  }

  // Sums of 1, y and y^2 around kStrip pixels of a column.
  VMR_HOST_DEVICE void down(Place at, int column, int row, float* sums) const {
    const float* picture =
        level + at.z * size.pixels() + clamp_to(at.x * kColumns + column - n(), size.width);
    const int top = at.y * kRows + row;
    const auto pixel = [&](int offset) {
      return picture[int64_t(clamp_to(top + offset, size.height)) * size.width];
    };
    if constexpr (kN > 0) {
      float values[kStrip + 2 * kN];
      VMR_UNROLL
      for (int i = 0; i < kStrip + 2 * kN; ++i) values[i] = pixel(i - kN);
      VMR_UNROLL
      for (int i = 0; i < kStrip; ++i) {
        column_sums([&](int offset) { return values[i + kN + offset]; }, column, row + i, sums);
      }
    } else {
      for (int i = 0; i < kStrip; ++i) {
        column_sums([&](int offset) { return pixel(i + offset); }, column, row + i, sums);
      }
    }
  }

  template <class Value>
  VMR_HOST_DEVICE void column_sums(const Value& value, int column, int row, float* sums) const {
    float one = g[0] * value(0), y = 0, yy = 0;
    VMR_UNROLL
    for (int k = 1; k <= n(); ++k) {
      const float up = value(-k), low = value(k);
      one += g[k] * (up + low);
      y += xg[k] * (low - up);
      yy += xxg[k] * (up + low);
    }
    const int plane = kRows * stride(), i = row * stride() + column;
    sums[i] = one;
    sums[plane + i] = y;
    sums[2 * plane + i] = yy;
  }

  VMR_HOST_DEVICE void across(Place at, int column, int row, const float* sums) const {
    const int x = at.x * kColumns + column, y = at.y * kRows + row, plane = kRows * stride();
    if (x >= size.width || y >= size.height) return;
    const float *one = sums + row * stride() + column + n(), *of_y = one + plane,
                *of_yy = of_y + plane;
    NeighbourhoodSums s{g[0] * one[0], 0, g[0] * of_y[0], 0, g[0] * of_yy[0], 0};
    VMR_UNROLL
    for (int k = 1; k <= n(); ++k) {
      s.one += g[k] * (one[-k] + one[k]);
      s.x += xg[k] * (one[k] - one[-k]);
      s.xx += xxg[k] * (one[-k] + one[k]);
      s.y += g[k] * (of_y[-k] + of_y[k]);
      s.xy += xg[k] * (of_y[k] - of_y[-k]);
      s.yy += g[k] * (of_yy[-k] + of_yy[k]);
    }
    const Expansion e = expansion_of(s, scale);
    const int64_t to = at.z * size.pixels() + int64_t(y) * size.width + x;
    four[to] = {e.by, e.bx, e.ayy, e.axx};
    mixed[to] = e.axy;
  }
};

}  // namespace vmr::video::detail
