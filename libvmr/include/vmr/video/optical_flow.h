// Dense optical flow between frames behind one function, whatever the method. A vector says where a
// pixel of frame i is found in frame i + 1: a picture that moves 3 pixels right and 1 down gives
// (3, 1) everywhere.
//
// farneback is libvmr's own version of OpenCV's calcOpticalFlowFarneback, with all its parameters:
// vectors are the same to 1e-5 pixel where the picture has texture (its answer on flat regions is
// noise, as OpenCV's is), and it is several times as fast: vector code for the processor it runs
// on, and frames that follow each other share pyramid and polynomial expansion. One departure:
// OpenCV adds up wrong rows for a window of 1. Deterministic: pairs are independent and a pair is
// computed the same way whatever `threads` and OpenCV's own thread count are; tests pin identical
// bits on one machine. Between instruction sets results differ by rounding. libvmr never changes
// OpenCV's settings. Thread-safe.
//
// Frames on a CUDA device give results there, by farneback (farneback_cudaoptflow, which waits, see
// there). Work is put on the device's
// current stream and nothing waits for it: neither the host nor other streams. All pairs of a call
// are computed together, in memory of LibTorch's allocator; the bits are the same for any batch,
// `workspace_bytes`, stream and number of threads that call, and differ from the CPU's by rounding.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace vmr::video {

enum class FlowMethod {
  farneback,         // polynomial expansion (Farneback 2003); the published trajectories use it
  farneback_opencv,  // OpenCV's code of the same; needs OpenCV, as those below
  dis_ultrafast,     // dense inverse search (Kroeger et al. 2016), coarse, the fastest
  dis_fast,
  dis_medium,  // the best of the three, denser patches
  // OpenCV's CUDA version, for comparison (docs/opencv_cuda.md); needs its module cudaoptflow and a
  // device, to which CPU frames are sent. optical_flow and flow_between also take grey frames on a
  // device, without a copy, and wait for it. One pair at a time in a process, whatever the threads.
  farneback_cudaoptflow,
};

// Defaults are those of OF-VM-NET's trajectories.
struct FarnebackOptions {
  double pyramid_scale = 0.5;  // size of a level relative to the finer one, in (0, 1)
  int levels = 3;              // pyramid levels besides the full size; none below 32 pixels
  int window = 15;             // averaging window, pixels; larger is smoother
  int iterations = 3;          // per level
  int poly_n = 5;              // radius of the polynomial expansion, pixels: 5 or 7 are usual
  double poly_sigma = 1.2;     // of its Gaussian weight, pixels, 0.2 or more: 1.2 for 5, 1.5 for 7
  bool gaussian = false;       // Gaussian instead of box window
};

struct FlowOptions {
  // Change results.
  FlowMethod method = FlowMethod::farneback;
  FarnebackOptions farneback;
  // Where the search begins, [pairs, 2, h, w] float32, pixels, on the frames' device; undefined: no
  // motion. Farneback's methods only. Must be finite; on a CUDA device that is not checked, and a
  // NaN spreads as far as its window.
  at::Tensor first_guess;
  // Change speed only.
  int threads = 1;  // for pairs, and within a pair when they are fewer; 0 = one per core. CPU only
  // Memory beside frames and results on a CUDA device; of longer sequences as many pairs as fit are
  // computed at a time, at least one. A pair of a sequence takes 32 bytes a pixel for fields and 40
  // for what is made of them, 1 more for RGB, 40 more for windows above 17, and 24 more where its
  // frames are shared with no other pair.
  int64_t workspace_bytes = int64_t{256} << 20;
};

void validate(const FarnebackOptions& options);
void validate(const FlowOptions& options);

// The least and the most height and width a frame may have, pixels, for every method.
inline constexpr int64_t kMinFlowPixels = 16, kMaxFlowPixels = 16384;

// `frames` [n, h, w] grey or [n, h, w, 3] RGB, uint8 -> [n-1, 2, h, w] float32, pixels; channel 0
// to the right, 1 downwards; row i from frame i to frame i + 1. n < 2 gives [0, 2, h, w]. Requires:
// h, w of kMinFlowPixels to kMaxFlowPixels. Throws: InvalidArgument; NotBuilt for OpenCV's methods
// without OpenCV; CudaError for CUDA frames in a build without CUDA, or when a launch fails.
at::Tensor optical_flow(const at::Tensor& frames, const FlowOptions& options = {});

// The same for pairs: row i from from[i] to to[i], frames [n, h, w] or [n, h, w, 3] each.
at::Tensor flow_between(const at::Tensor& from, const at::Tensor& to,
                        const FlowOptions& options = {});

// What is made of each pair's field without keeping it. On the CPU a thread holds two expansions
// and a field, about 70 bytes a pixel. Arguments and exceptions as above; n < 2 gives no rows. The
// mean length of the vectors, [n-1] float32, pixels: mean over the image of sqrt(u^2 + v^2).
at::Tensor mean_magnitude(const at::Tensor& frames, const FlowOptions& options = {});
// The length of every vector, [n-1, h, w] float32, pixels.
at::Tensor magnitude_map(const at::Tensor& frames, const FlowOptions& options = {});
// How far the picture moves in each direction, [n-1, bins] float32, pixels: lengths summed by
// angle, over the number of pixels; bin k holds angles of k to k + 1 times 360 / bins degrees from
// the right, clockwise on the screen. The bins of a row add up to mean_magnitude. Throws also when
// bins is not 1 to 3600.
at::Tensor direction_histogram(const at::Tensor& frames, int64_t bins = 8,
                               const FlowOptions& options = {});

}  // namespace vmr::video
