// OpenCV's Farneback flow on CUDA (its module cudaoptflow). Without the module these throw.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "video/flow_pairs.h"

namespace vmr::video::detail {

// Of frames on the CPU: each pair goes to the current CUDA device and its field comes back. The
// arguments are those of opencv_flow_of_pairs; `sink` is called by the calling thread.
void cudaoptflow_of_pairs(const at::Tensor& grey, const std::vector<FramePair>& pairs,
                          const FlowOptions& options, const at::Tensor& first_guess,
                          const FlowSink& sink);

// Of grey frames on a CUDA device, [n, h, w] uint8 each, without a way through the host:
// [n, 2, h, w] float32 there. Waits for the current stream and returns when all is done.
at::Tensor cudaoptflow_between(const char* function, const at::Tensor& from, const at::Tensor& to,
                               const FlowOptions& options);

}  // namespace vmr::video::detail
