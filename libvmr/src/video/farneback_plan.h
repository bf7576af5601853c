// What Farneback's flow needs to know of a frame size and its options, worked out once: the sizes
// of the pyramid, its filters as tables, the weights of the polynomial expansion and the window.
#pragma once

#include <cstdint>
#include <vector>

#include "video/farneback_pixel.h"
#include "vmr/video/optical_flow.h"

namespace vmr::video::detail {

// One axis of a linear map between two grids: output i is the sum over k < taps of
// weights[k * stride + i] * input[first[i] + k]. Borders are folded in: indices are in range, also
// those of the zero weights that fill up the stride.
struct AxisFilter {
  int inputs = 0, outputs = 0, taps = 0;
  int64_t stride = 0;
  std::vector<int32_t> first;
  std::vector<float> weights;
};

struct FarnebackLevel {
  int width = 0, height = 0;
  AxisFilter across, down;                // from the full size: blur, then bilinear
  AxisFilter coarse_across, coarse_down;  // from the next coarser level, bilinear
};

struct FarnebackPlan {
  int width = 0, height = 0, iterations = 0;
  float enlarge = 1;                    // vectors grow by this from a level to the next finer one
  std::vector<FarnebackLevel> levels;   // finest first
  AxisFilter first_across, first_down;  // a first guess from the full size to the coarsest level
  float first_factor = 1;
  int poly_n = 0;
  std::vector<float> g, xg, xxg;  // weights for offsets 0..poly_n, times offset, times its square
  ExpansionScale scale;
  int radius = 0;             // of the averaging window
  std::vector<float> window;  // Gaussian weights of offsets 0..radius; empty for a box
  float box_weight = 0;       // of each pixel of a box
};

FarnebackPlan plan_farneback(int64_t height, int64_t width, const FarnebackOptions& options);

}  // namespace vmr::video::detail
