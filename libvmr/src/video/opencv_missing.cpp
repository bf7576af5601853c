// The OpenCV parts of this area in a build without OpenCV.
#include "video/flow_pairs.h"
#include "video/resize_kernels.h"
#include "vmr/core/error.h"
#include "vmr/video/picture.h"

namespace vmr::video::detail {

void opencv_resize(const uint8_t*, int64_t, int64_t, int64_t, uint8_t*, int64_t, int64_t,
                   ResizeKernel) {
  throw NotBuilt(
      "resize: built without OpenCV (VMR_WITH_OPENCV=OFF); use a pillow_ kernel or build with "
      "OpenCV");
}

void opencv_flow_of_pairs(const at::Tensor&, const std::vector<FramePair>&, const FlowOptions&,
                          const at::Tensor&, const FlowSink&) {
  throw NotBuilt(
      "optical_flow: this method needs OpenCV, and libvmr was built without it "
      "(VMR_WITH_OPENCV=OFF); use farneback, or build with OpenCV's core, imgproc and video modules");
}

}  // namespace vmr::video::detail

namespace vmr::video {

std::string encode_jpeg(const at::Tensor&, int) {
  throw NotBuilt("encode_jpeg: built without OpenCV (VMR_WITH_OPENCV=OFF); build with OpenCV");
}

at::Tensor decode_picture(const std::string&, int64_t) {
  throw NotBuilt("decode_picture: built without OpenCV (VMR_WITH_OPENCV=OFF); build with OpenCV");
}

}  // namespace vmr::video
