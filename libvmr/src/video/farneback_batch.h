// Farneback's flow of frames that are on a CUDA device: memory, tables and chunks of pairs around
// the steps of farneback_work.h.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "video/farneback_work.h"
#include "vmr/video/optical_flow.h"

namespace vmr::video::detail {

// launch_farneback, or the tests' emulation of it.
using FarnebackRunner = std::function<void(const DevicePlan&, const FarnebackWork&)>;

// `frames`: one tensor, whose neighbours are the pairs, or two of the same sizes, from and to;
// [n, h, w] or RGB [n, h, w, 3], uint8, checked. On their device: fields [pairs, 2, h, w], lengths
// [pairs, h, w], mean_length [pairs] or directions [pairs, bins], float32. `run` is called with
// one chunk of pairs after the other, in memory of at most options.workspace_bytes (or that of one
// pair).
at::Tensor farneback_in_chunks(std::vector<at::Tensor> frames, const FlowOptions& options,
                               FlowResult result, int64_t bins, const FarnebackRunner& run);

// The same on a CUDA device, with all checks but those of the options and bins. Does not wait for
// the device.
at::Tensor farneback_on_cuda(const char* function, const std::vector<at::Tensor>& frames,
                             const FlowOptions& options, FlowResult result, int64_t bins = 1);

}  // namespace vmr::video::detail
