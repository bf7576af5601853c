// The one place that knows whether kernels were compiled. An operation with a CUDA kernel calls
//   if (waveform.is_cuda()) VMR_CUDA_CALL("log_mel", launch_log_mel(..., current_stream()));
// and compiles everywhere: without CUDA the call is replaced by a throw.
#pragma once

#include "core/built_with.h"
#include "vmr/core/error.h"

namespace vmr::detail {

// The stream LibTorch's current device works on, as the cudaStream_t the kernels take. Throws:
// CudaError in a build without CUDA.
void* current_cuda_stream(int device_index);

}  // namespace vmr::detail

#ifdef VMR_BUILT_WITH_CUDA
#define VMR_CUDA_CALL(function, call) \
  do {                                \
    call;                             \
  } while (false)
#else
#define VMR_CUDA_CALL(function, call)                                          \
  throw ::vmr::CudaError(function                                              \
                         ": built without CUDA (VMR_WITH_CUDA=OFF); move the " \
                         "tensors to the CPU or build with the CUDA toolkit")
#endif
