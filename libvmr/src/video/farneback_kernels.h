// The stages of Farneback's flow on rows of planes: what the driver calls, and what each
// instruction set provides. Sizes and tables come from a FarnebackPlan; nothing here allocates.
//
// A plane's row begins kLeftPad floats into its storage and ends in kRightPad spare ones, so that
// whole vectors may be read around a displaced pixel. What the spare floats hold never reaches a
// result.
#pragma once

#include <cstdint>

#include "video/farneback_pixel.h"

namespace vmr::video::detail {

inline constexpr int64_t kLeftPad = 16, kRightPad = 48;

[[gnu::always_inline]] inline constexpr int64_t row_floats(int64_t width) {
  return kLeftPad + (width + 15) / 16 * 16 + kRightPad;
}

// `planes` planes of one size, rows interleaved: all planes of row 0, then of row 1. Points at the
// first pixel, behind the left pad.
struct Planes {
  float* data = nullptr;
  int64_t stride = 0;  // floats from a plane's row to the next plane's
  int64_t planes = 1;
  [[gnu::always_inline]] float* row(int64_t y, int64_t plane = 0) const {
    return data + (y * planes + plane) * stride;
  }
};

// One frame's expansion, pixel by pixel: b_y / 2, b_x / 2, A_yy / 2, A_xx / 2, A_xy / 4, what it
// adds to a pair's equations. Rows hold whole vectors of 16 pixels.
inline constexpr int kPixelFloats = 5;
struct Pixels {
  float* data = nullptr;
  int64_t stride = 0;  // floats from row to row
  [[gnu::always_inline]] float* row(int64_t y) const { return data + y * stride; }
};

inline constexpr int64_t kFlowPlanes = 2;      // to the right, downwards
inline constexpr int64_t kEquationPlanes = 5;  // G_yy, G_xy, G_xx, h_y, h_x

struct AxisView {
  const int32_t* first;
  const float* weights;
  int64_t stride;
  int inputs, outputs, taps;
};

struct ExpansionView {
  const float *g, *xg, *xxg;  // for offsets 0..n
  int n;
  ExpansionScale scale;
};

struct WindowView {
  int radius;
  float box_weight;
  const float* weights;  // of offsets 0..radius; null for a box
};

struct Size {
  int width, height;
};

// One iteration at one level. `next` may be `flow` where one caller does all rows: a row is written
// after all that need it are read.
struct FlowStep {
  Size size;
  Pixels from, to;
  Planes flow, next;
};

struct FarnebackKernels {
  const char* name;  // of the instruction set

  // Rows y0..y1-1 of a level from the full picture. scratch: row_floats(picture width).
  void (*shrink)(const uint8_t* picture, const AxisView& across, const AxisView& down, Planes level,
                 float* scratch, int y0, int y1);
  // Rows y0..y1-1 of the expansion of a level. scratch: 3 row_floats(width + 2 n).
  void (*expand)(const ExpansionView& how, Size size, Planes level, Pixels expansion,
                 float* scratch, int y0, int y1);
  // Rows y0..y1-1 of the flow from that of the coarser level; vectors grow by `factor`.
  // scratch: 2 row_floats(coarse width).
  void (*enlarge)(Planes coarse, const AxisView& across, const AxisView& down, float factor,
                  Planes flow, float* scratch, int y0, int y1);
  // Rows y0..y1-1 of the next estimate, from rows of step.flow up to y1-1 + radius. Rows are done
  // in order: `first` begins at a multiple of window_rows(radius), so that sums begin at the same
  // rows whoever does them; else ring holds what the rows above left. ring: window_ring, scratch:
  // window_scratch.
  void (*iterate)(const WindowView& window, const FlowStep& step, float* ring, float* scratch,
                  int y0, int y1, bool first);
  // The sum of the lengths of the vectors.
  double (*lengths)(Size size, Planes flow);
};

[[gnu::always_inline]] inline constexpr int window_rows(int radius) { return 2 * radius + 1; }
// The equations of the window's rows, and a running sum.
[[gnu::always_inline]] inline constexpr int64_t window_ring(int width, int radius) {
  return (window_rows(radius) + 1) * kEquationPlanes * row_floats(width);
}
// A row's sums with their borders, all planes' averages, two rows for sums across, and where the
// row's flow leads.
[[gnu::always_inline]] inline constexpr int64_t window_scratch(int width, int radius) {
  return (1 + kEquationPlanes + 2 + 3) * row_floats(width + 2 * radius);
}

// Null where the processor or the compiler lacks the instructions.
const FarnebackKernels* farneback_avx512();
const FarnebackKernels* farneback_avx2();
const FarnebackKernels* farneback_portable();

}  // namespace vmr::video::detail
