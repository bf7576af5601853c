// The flow of chosen pairs of frames: what optical_flow, trajectories and clip measures share.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "vmr/video/optical_flow.h"

namespace vmr::video::detail {

using FramePair = std::pair<int64_t, int64_t>;  // flow goes from first to second

// Gets pair number and its field [h, w] of interleaved (u, v); called from several threads at once,
// each pair once.
using FlowSink = std::function<void(int64_t, const float*)>;

// `grey` [n, h, w] contiguous uint8, checked; pairs within 0..n-1.
void flow_of_pairs(const at::Tensor& grey, const std::vector<FramePair>& pairs,
                   const FlowOptions& options, const FlowSink& sink);

// Throws unless grey is [n, h, w] uint8 on the CPU and large enough; returns it contiguous.
at::Tensor require_flow_input(const at::Tensor& grey, const char* function);

// The mean length of the vectors of each pair, pixels.
std::vector<float> mean_magnitudes(const at::Tensor& grey, const std::vector<FramePair>& pairs,
                                   const FlowOptions& options);

}  // namespace vmr::video::detail
