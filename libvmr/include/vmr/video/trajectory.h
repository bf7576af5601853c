// Flow trajectory of a film: how much the picture moves, one number per kept frame. OF-VM-NET keeps
// 3 frames/s of 320 x 240 pixels (ResizeKernel::opencv_bilinear), grey, and segments films by it.
// The function is thread-safe, a stream is not.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "vmr/video/optical_flow.h"

namespace vmr::video {

// `grey` [n, h, w] uint8 -> [n] float32, pixels per frame step: value[i] = mean flow magnitude from
// frame i - 1 to frame i, value[0] = value[1], so that every kept frame has a value. n = 1 gives
// {0}, n = 0 an empty tensor.
// On a CUDA device as optical_flow. Throws: as optical_flow.
at::Tensor flow_trajectory(const at::Tensor& grey, const FlowOptions& options = {});

// The same for frames that come one at a time, on the CPU, in the memory of two: the bits are
// mean_magnitude's.
class MagnitudeStream {
 public:
  // Throws: InvalidArgument.
  explicit MagnitudeStream(const FlowOptions& options = {});
  ~MagnitudeStream();
  MagnitudeStream(MagnitudeStream&&) noexcept;
  MagnitudeStream& operator=(MagnitudeStream&&) noexcept;

  // `frame` [h, w] grey or [h, w, 3] RGB, uint8 -> mean flow magnitude from the frame before,
  // pixels; 0 for the first. Throws: as flow_trajectory; InvalidArgument when the size changes.
  float push(const at::Tensor& frame);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmr::video
