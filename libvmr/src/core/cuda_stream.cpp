#include <c10/cuda/CUDAStream.h>

#include "core/dispatch.h"

namespace vmr::detail {

void* current_cuda_stream(int device_index) {
  return c10::cuda::getCurrentCUDAStream(static_cast<c10::DeviceIndex>(device_index)).stream();
}

}  // namespace vmr::detail
