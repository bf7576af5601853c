// CUDA side of farneback_work.h: every step is a kernel that runs its phases with barriers between;
// the arithmetic is in the steps' headers, which the tests also run on the CPU. Bound by memory:
// docs/design/0008-cuda-farneback.md.
#include <cuda_runtime_api.h>

#include <string>

#include "video/farneback_work.h"
#include "vmr/core/error.h"

namespace vmr::video::detail {
namespace {

// The step stays in constant memory, where its weights may be indexed.
template <class Step>
__global__ void __launch_bounds__(Step::kThreads) step_kernel(const __grid_constant__ Step step) {
  extern __shared__ __align__(16) unsigned char shared[];
  const Place at{static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y),
                 static_cast<int>(blockIdx.z), static_cast<int>(threadIdx.x)};
  typename Step::Registers registers{};
  const int phases = step.phases(at);
  VMR_UNROLL
  for (int phase = 0; phase < phases; ++phase) {
    if (phase > 0) __syncthreads();
    step.run(phase, at, shared, registers);
  }
}

struct Launch {
  cudaStream_t stream;

  template <class Step>
  void operator()(const Step& step) const {
    const GridSize grid = step.grid();
    const dim3 blocks(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y),
                      static_cast<unsigned>(grid.z));
    step_kernel<<<blocks, Step::kThreads, static_cast<size_t>(step.shared_bytes()), stream>>>(step);
    const cudaError_t error = cudaGetLastError();
    if (error != cudaSuccess) {
      throw CudaError(std::string("optical_flow: a kernel's launch failed: ") +
                      cudaGetErrorString(error));
    }
  }
};

}  // namespace

void launch_farneback(const DevicePlan& plan, const FarnebackWork& work, void* stream) {
  run_farneback(plan, work, Launch{static_cast<cudaStream_t>(stream)});
}

}  // namespace vmr::video::detail
