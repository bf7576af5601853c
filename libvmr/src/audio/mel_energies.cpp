#include "audio/mel_energies.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/view_as_real.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <cmath>

#include "core/dispatch.h"
#include "vmr/core/error.h"

namespace vmr::audio::detail {
namespace {

// Elements of the frames buffer of one part: the CPU's stays in its second-level cache, which is
// worth a third of fbank's time; a GPU needs large launches.
constexpr int64_t kCpuPart = int64_t{1} << 17;
constexpr int64_t kCudaPart = int64_t{1} << 26;

template <typename Scalar>
class Parts {
 public:
  Parts(const char* function, const at::Tensor& waveform, const std::vector<double>& window,
        const MelBank& bank)
      : function_(function),
        device_(waveform.is_cuda() ? waveform.get_device() : -1),
        waveform_(waveform),
        window_(at::tensor(window, waveform.options())),
        weights_(at::tensor(bank.weights, waveform.options())),
        first_(at::tensor(bank.first, waveform.options().dtype(at::kInt))),
        offset_(at::tensor(bank.offset, waveform.options().dtype(at::kInt))),
        table_{first_.const_data_ptr<int32_t>(), offset_.const_data_ptr<int32_t>(),
               weights_.const_data_ptr<Scalar>()} {}

  void frame(const FrameShape& shape, RowRange rows, at::Tensor& frames) const {
    const auto* samples = waveform_.const_data_ptr<Scalar>();
    const auto* window = window_.const_data_ptr<Scalar>();
    auto* out = frames.mutable_data_ptr<Scalar>();
    if (device_ < 0) {
      frame_cpu(samples, window, shape, rows, out);
    } else {
      VMR_CUDA_CALL(function_, launch_frame(samples, window, shape, rows, out,
                                            vmr::detail::current_cuda_stream(device_)));
    }
  }

  // frames [rows, fft] -> energies [rows, mels].
  void mel(const MelShape& shape, const at::Tensor& frames, at::Tensor energies) const {
    const auto spectrum = at::view_as_real(at::fft_rfft(frames)).contiguous();
    const auto* bins = spectrum.template const_data_ptr<Scalar>();
    auto* out = energies.mutable_data_ptr<Scalar>();
    if (device_ < 0) {
      mel_cpu(bins, table_, shape, frames.size(0), out);
    } else {
      VMR_CUDA_CALL(function_, launch_mel(bins, table_, shape, frames.size(0), out,
                                          vmr::detail::current_cuda_stream(device_)));
    }
  }

 private:
  const char* function_;
  int device_;
  at::Tensor waveform_, window_, weights_, first_, offset_;
  MelTable<Scalar> table_;
};

template <typename Scalar>
at::Tensor energies_of(const char* function, const at::Tensor& waveform,
                       const std::vector<double>& window, const MelBank& bank,
                       const FrameShape& shape, const MelShape& mel) {
  const c10::DeviceGuard guard(waveform.device());
  const Parts<Scalar> parts(function, waveform, window, bank);
  const int64_t rows = shape.batch * shape.frames;
  const int64_t part =
      std::max<int64_t>(1, (waveform.is_cuda() ? kCudaPart : kCpuPart) / shape.fft);
  auto energies = at::empty({rows, mel.mels}, waveform.options());
  const auto run = [&](int64_t begin_part, int64_t end_part) {
    auto frames = at::empty({std::min(part, rows), shape.fft}, waveform.options());
    for (int64_t begin = begin_part * part; begin < std::min(rows, end_part * part);
         begin += part) {
      const int64_t count = std::min(part, rows - begin);
      auto some = frames.narrow(0, 0, count);
      parts.frame(shape, {begin, count}, some);
      parts.mel(mel, some, energies.narrow(0, begin, count));
    }
  };
  const int64_t count = (rows + part - 1) / part;
  if (waveform.is_cuda()) {
    run(0, count);
  } else {
    // A part a task: threads meet once a call and not once a loop.
    at::parallel_for(0, count, 1, run);
  }
  return energies.view({shape.batch, shape.frames, mel.mels});
}

}  // namespace

at::Tensor mel_energies(const char* function, const at::Tensor& waveform,
                        const std::vector<double>& window, const MelBank& bank, FrameShape shape,
                        MelShape mel) {
  VMR_CHECK(waveform.is_cpu() || waveform.is_cuda(), function,
            ": expected a CPU or CUDA tensor, got one on ", waveform.device().str());
  shape.batch = waveform.size(0);
  shape.samples = waveform.size(1);
  mel.bins = shape.fft / 2 + 1;
  if (shape.batch * shape.frames == 0)
    return at::empty({shape.batch, shape.frames, mel.mels}, waveform.options());
  if (waveform.scalar_type() == at::kDouble)
    return energies_of<double>(function, waveform, window, bank, shape, mel);
  return energies_of<float>(function, waveform, window, bank, shape, mel);
}

void check_waveform(const char* function, const at::Tensor& waveform, bool batched, bool doubles) {
  VMR_CHECK(waveform.defined(), function, ": expected a waveform, got an undefined tensor");
  VMR_CHECK(waveform.dim() == 1 || (batched && waveform.dim() == 2), function,
            ": expected waveform [samples]", batched ? " or [batch, samples]" : "", ", got ",
            waveform.sizes(), waveform.dim() > 1 ? "; mix down or squeeze the channel axis" : "");
  const auto type = waveform.scalar_type();
  VMR_CHECK(type == at::kFloat || (doubles && type == at::kDouble), function, ": expected float32",
            doubles ? " or float64" : "", " samples in [-1, 1], got ", c10::toString(type),
            "; convert and scale them");
}

void check_samples(const char* function, const at::Tensor& samples) {
  constexpr float kLargest = 1e12F;  // the power of a spectrum of 2^20 such samples is finite
  const auto* values = samples.const_data_ptr<float>();
  const auto* bad = std::find_if(values, values + samples.numel(),
                                 [](float value) { return !(std::abs(value) <= kLargest); });
  VMR_CHECK(bad == values + samples.numel(), function, ": sample ", bad - values, " of ",
            samples.numel(), " is ", *bad,
            "; expected finite samples in [-1, 1], clean them first");
}

}  // namespace vmr::audio::detail
