// Dense optical flow between consecutive frames behind one function, whatever the method. A vector
// says where a pixel of frame i is found in frame i + 1: a picture that moves 3 pixels right and 1
// down gives (3, 1) everywhere. Needs OpenCV (VMR_WITH_OPENCV).
//
// Deterministic: pairs are independent and a pair is computed the same way whatever `threads` and
// OpenCV's own thread count are; tests pin identical bits. libvmr never changes OpenCV's settings.
// Farneback calls OpenCV's cv::calcOpticalFlowFarneback; its answer on flat, untextured regions is
// noise, as OpenCV's is.
// Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace vmr::video {

enum class FlowMethod {
  farneback,      // polynomial expansion (Farneback 2003); the published trajectories use it
  dis_ultrafast,  // dense inverse search (Kroeger et al. 2016), coarse; about 20x faster
  dis_fast,       // about 10x faster than farneback
  dis_medium,     // the best of the three, denser patches
};

// Defaults are those of OF-VM-NET's trajectories.
struct FarnebackOptions {
  double pyramid_scale = 0.5;  // size of a level relative to the finer one, in (0, 1)
  int levels = 3;              // pyramid levels besides the full size; none below 32 pixels
  int window = 15;             // averaging window, pixels; larger is smoother
  int iterations = 3;          // per level
  int poly_n = 5;              // radius of the polynomial expansion, pixels: 5 or 7 are usual
  double poly_sigma = 1.2;     // of its Gaussian weight, pixels: 1.2 for 5, 1.5 for 7
  bool gaussian = false;       // Gaussian instead of box window
};

struct FlowOptions {
  // Change results.
  FlowMethod method = FlowMethod::farneback;
  FarnebackOptions farneback;
  // Changes speed only.
  int threads = 1;  // pairs at the same time; 0 = one per core
};

void validate(const FarnebackOptions& options);
void validate(const FlowOptions& options);

// The smallest height and width a frame may have, pixels, for every method.
inline constexpr int64_t kMinFlowPixels = 16;

// `grey` [n, h, w] uint8 -> [n-1, 2, h, w] float32, pixels; channel 0 to the right, 1 downwards;
// row i from frame i to frame i + 1. n < 2 gives [0, 2, h, w].
// Requires: h, w >= kMinFlowPixels.
// Throws: InvalidArgument; NotBuilt without OpenCV.
at::Tensor optical_flow(const at::Tensor& grey, const FlowOptions& options = {});

// The mean length of the vectors of each pair, [n-1] float32, pixels: mean over the image of
// sqrt(u^2 + v^2), summed in double. Holds one field per thread instead of all of them.
// Same arguments, same exceptions; n < 2 gives [0].
at::Tensor mean_magnitude(const at::Tensor& grey, const FlowOptions& options = {});

}  // namespace vmr::video
