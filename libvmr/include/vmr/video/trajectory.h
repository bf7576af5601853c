// Flow trajectory of a film: how much the picture moves, one number per kept frame. OF-VM-NET keeps
// 3 frames/s of 320 x 240 pixels (ResizeKernel::opencv_bilinear), grey, and segments films by it.
// Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include "vmr/video/optical_flow.h"

namespace vmr::video {

// `grey` [n, h, w] uint8 -> [n] float32, pixels per frame step: value[i] = mean flow magnitude from
// frame i - 1 to frame i, value[0] = value[1], so that every kept frame has a value. n = 1 gives
// {0}, n = 0 an empty tensor.
// Throws: InvalidArgument; NotBuilt without OpenCV.
at::Tensor flow_trajectory(const at::Tensor& grey, const FlowOptions& options = {});

}  // namespace vmr::video
