// A build without OpenCV's module cudaoptflow.
#include "video/opencv_cuda_flow.h"
#include "vmr/core/error.h"

namespace vmr::video::detail {
namespace {

[[noreturn]] void not_built() {
  throw NotBuilt(
      "optical_flow: farneback_cudaoptflow needs the CUDA toolkit and an OpenCV with the module "
      "cudaoptflow, and libvmr was built without them (VMR_WITH_OPENCV_CUDA=OFF or not found); "
      "build one with cmake/build_opencv_cuda.sh, or use farneback");
}

}  // namespace

void cudaoptflow_of_pairs(const at::Tensor&, const std::vector<FramePair>&, const FlowOptions&,
                          const at::Tensor&, const FlowSink&) {
  not_built();
}

at::Tensor cudaoptflow_between(const char*, const at::Tensor&, const at::Tensor&,
                               const FlowOptions&) {
  not_built();
}

}  // namespace vmr::video::detail
