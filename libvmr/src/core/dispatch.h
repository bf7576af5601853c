// The one place that knows whether kernels were compiled. An operation with a CUDA kernel calls
//   if (waveform.is_cuda()) VMR_CUDA_CALL("log_mel", launch_mel(..., current_cuda_stream(device)));
// and compiles everywhere: without CUDA the call is checked by the compiler, left out of the
// program and replaced by a throw.
#pragma once

#include <string>

#include "core/built_with.h"
#include "vmr/core/error.h"

namespace vmr::detail {

// LibTorch's current stream of that device, as the cudaStream_t the kernels take. Defined in builds
// with CUDA only: call it inside VMR_CUDA_CALL. The device must be the current one when the kernel
// is launched (c10::DeviceGuard).
void* current_cuda_stream(int device_index);

}  // namespace vmr::detail

#ifdef VMR_BUILT_WITH_CUDA
#define VMR_CUDA_CALL(function, call) \
  do {                                \
    call;                             \
  } while (false)
#else
#define VMR_CUDA_CALL(function, call)                                                   \
  do {                                                                                  \
    if constexpr (false) {                                                              \
      call;                                                                             \
    }                                                                                   \
    throw ::vmr::CudaError(::std::string(function) +                                    \
                           ": built without CUDA (VMR_WITH_CUDA=OFF); move the tensors" \
                           " to the CPU or build with the CUDA toolkit");               \
  } while (false)
#endif
