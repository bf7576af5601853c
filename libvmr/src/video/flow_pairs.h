// The flow of chosen pairs of frames: what optical_flow, trajectories and clip measures share.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "video/farneback_kernels.h"
#include "vmr/video/optical_flow.h"

namespace vmr::video::detail {

using FramePair = std::pair<int64_t, int64_t>;  // flow goes from first to second

// Gets pair number and its field, two planes, valid during the call; called from several threads at
// once, each pair once.
using FlowSink = std::function<void(int64_t, Planes)>;

// `grey` [n, h, w] contiguous uint8, checked; pairs within 0..n-1. Frames that neighbouring pairs
// share are prepared once.
void flow_of_pairs(const at::Tensor& grey, const std::vector<FramePair>& pairs,
                   const FlowOptions& options, const FlowSink& sink);

// OpenCV's methods of it. `first_guess` [pairs, 2, h, w] contiguous, or undefined.
void opencv_flow_of_pairs(const at::Tensor& grey, const std::vector<FramePair>& pairs,
                          const FlowOptions& options, const at::Tensor& first_guess,
                          const FlowSink& sink);

// Throws unless grey is [n, h, w] or RGB [n, h, w, 3], uint8, on the CPU and large enough; returns
// grey frames, contiguous.
at::Tensor require_flow_input(const at::Tensor& frames, const char* function);

// Throws unless frames [n, h, w, ...] have kMinFlowPixels to kMaxFlowPixels a side.
void check_flow_size(const at::Tensor& frames, const char* function);

// options.first_guess, contiguous, or undefined. Throws unless it suits so many pairs of `frames`
// [n, h, w, ...]. On a CUDA device its values are not looked at: that would wait for the device.
at::Tensor require_first_guess(const at::Tensor& frames, int64_t pairs, const FlowOptions& options);

// The mean length of the vectors of each pair, pixels.
std::vector<float> mean_magnitudes(const at::Tensor& grey, const std::vector<FramePair>& pairs,
                                   const FlowOptions& options);

}  // namespace vmr::video::detail
