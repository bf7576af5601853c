// CUDA side of log_mel_kernels.h. Both kernels are bound by memory: one reads the waveform through
// the cache and writes each frame once, the other reads each spectrum once into shared memory.
#include <cuda_runtime_api.h>

#include <string>

#include "audio/log_mel_kernels.h"
#include "vmr/core/error.h"

namespace vmr::audio::detail {
namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;

void check_launch(const char* kernel) {
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess)
    throw CudaError(std::string(kernel) + ": launch failed: " + cudaGetErrorString(error));
}

template <typename Scalar>
__device__ Scalar sample_at(const Scalar* signal, const FrameShape& shape, int64_t at) {
  if (at >= 0 && at < shape.samples) return signal[at];
  if (!shape.reflect) return Scalar(0);
  return signal[at < 0 ? -at : 2 * (shape.samples - 1) - at];
}

template <typename Scalar>
__device__ Scalar block_mean(const Scalar* signal, const FrameShape& shape, int64_t begin) {
  __shared__ Scalar partial[kWarps];
  Scalar sum = 0;
  for (int64_t i = threadIdx.x; i < shape.window; i += kThreads)
    sum += sample_at(signal, shape, begin + i);
  for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_down_sync(0xffffffffu, sum, lanes);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
  __syncthreads();
  Scalar total = 0;
  for (int warp = 0; warp < kWarps; ++warp) total += partial[warp];
  return total / static_cast<Scalar>(shape.window);
}

// A block a frame.
template <typename Scalar>
__global__ void frame_kernel(const Scalar* __restrict__ waveform, const Scalar* __restrict__ window,
                             FrameShape shape, int64_t first_row, Scalar* __restrict__ frames) {
  const int64_t row = first_row + blockIdx.x;
  const Scalar* signal = waveform + row / shape.frames * shape.samples;
  const int64_t begin = shape.first + row % shape.frames * shape.hop;
  const Scalar dc = shape.remove_dc ? block_mean(signal, shape, begin) : Scalar(0);
  const Scalar emphasis = static_cast<Scalar>(shape.preemphasis);
  for (int64_t i = threadIdx.x; i < shape.fft; i += kThreads) {
    Scalar value = 0;
    if (i < shape.window) {
      const Scalar now = sample_at(signal, shape, begin + i) - dc;
      const Scalar before = i == 0 ? now : sample_at(signal, shape, begin + i - 1) - dc;
      value = (now - emphasis * before) * window[i];
    }
    frames[blockIdx.x * shape.fft + i] = value;
  }
}

// A block a row: the powers of its bins in shared memory, then a thread a band.
template <typename Scalar>
__global__ void mel_kernel(const Scalar* __restrict__ spectrum, MelTable<Scalar> table,
                           MelShape shape, Scalar* __restrict__ energies) {
  extern __shared__ __align__(sizeof(double)) unsigned char shared[];
  Scalar* power = reinterpret_cast<Scalar*>(shared);
  const int64_t row = blockIdx.x;
  const Scalar* bin = spectrum + row * shape.bins * 2;
  for (int64_t k = threadIdx.x; k < shape.bins; k += kThreads) {
    const Scalar value = bin[2 * k] * bin[2 * k] + bin[2 * k + 1] * bin[2 * k + 1];
    power[k] = shape.power == 1 ? sqrt(value) : value;
  }
  __syncthreads();
  for (int64_t m = threadIdx.x; m < shape.mels; m += kThreads) {
    const Scalar* value = power + table.first[m];
    Scalar sum = 0;
    for (int32_t i = table.offset[m]; i < table.offset[m + 1]; ++i)
      sum += table.weights[i] * *value++;
    const Scalar energy = static_cast<Scalar>(shape.gain) * sum + static_cast<Scalar>(shape.offset);
    const Scalar floor = static_cast<Scalar>(shape.floor);
    energies[row * shape.mels + m] = energy < floor ? floor : energy;
  }
}

}  // namespace

template <typename Scalar>
void launch_frame(const Scalar* waveform, const Scalar* window, const FrameShape& shape,
                  RowRange rows, Scalar* frames, void* stream) {
  const auto blocks = static_cast<unsigned>(rows.count);
  frame_kernel<<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(waveform, window, shape,
                                                                           rows.begin, frames);
  check_launch("frame_kernel");
}

template <typename Scalar>
void launch_mel(const Scalar* spectrum, const MelTable<Scalar>& table, const MelShape& shape,
                int64_t rows, Scalar* energies, void* stream) {
  const size_t shared = static_cast<size_t>(shape.bins) * sizeof(Scalar);
  mel_kernel<<<static_cast<unsigned>(rows), kThreads, shared, static_cast<cudaStream_t>(stream)>>>(
      spectrum, table, shape, energies);
  check_launch("mel_kernel");
}

template void launch_frame(const float*, const float*, const FrameShape&, RowRange, float*, void*);
template void launch_frame(const double*, const double*, const FrameShape&, RowRange, double*,
                           void*);
template void launch_mel(const float*, const MelTable<float>&, const MelShape&, int64_t, float*,
                         void*);
template void launch_mel(const double*, const MelTable<double>&, const MelShape&, int64_t, double*,
                         void*);

}  // namespace vmr::audio::detail
