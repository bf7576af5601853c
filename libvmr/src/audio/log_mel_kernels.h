// The two loops around the FFT of a mel front end, for log_mel and fbank: waveform -> windowed
// frames, and spectrum -> band energies. The FFT between them is LibTorch's (MKL, cuFFT), which an
// own kernel would not beat; the logarithm behind them is LibTorch's too, one pass over the small
// result. All pointers are to the device the function's name says, dense, rows in order.
#pragma once

#include <cstdint>

namespace vmr::audio::detail {

// Frame t of an item covers samples [first + t * hop, first + t * hop + window).
struct FrameShape {
  int64_t batch = 1;
  int64_t samples = 0;  // of an item
  int64_t frames = 0;   // of an item
  int64_t first = 0;    // negative where frames are centred
  int64_t hop = 0;
  int64_t window = 0;
  int64_t fft = 0;       // columns of the result, zeros from `window` on
  bool reflect = false;  // samples beyond the ends: mirrored; otherwise zero
  // Done to each frame in this order before the window; Kaldi's front end.
  bool remove_dc = false;
  double preemphasis = 0;
};

struct MelShape {
  int64_t bins = 0;  // fft / 2 + 1
  int64_t mels = 0;
  int power = 2;  // 1: magnitude, 2: power
  // energy = max(gain * sum + offset, floor)
  double gain = 1;
  double offset = 0;
  double floor = 0;
};

// A MelBank on the device, weights in the precision of the spectrum.
template <typename Scalar>
struct MelTable {
  const int32_t* first = nullptr;
  const int32_t* offset = nullptr;
  const Scalar* weights = nullptr;
};

// Some of the batch * frames rows: they are done in parts, so that memory stays bounded.
struct RowRange {
  int64_t begin = 0;
  int64_t count = 0;
};

// waveform [batch, samples], window [window] -> frames [rows.count, fft]. Scalar: float, double.
template <typename Scalar>
void frame_cpu(const Scalar* waveform, const Scalar* window, const FrameShape& shape, RowRange rows,
               Scalar* frames);

// spectrum [rows, bins] of (re, im) -> energies [rows, mels].
template <typename Scalar>
void mel_cpu(const Scalar* spectrum, const MelTable<Scalar>& table, const MelShape& shape,
             int64_t rows, Scalar* energies);

// The same on `stream` (a cudaStream_t) of the current device; they return before the work is done,
// and the stream orders it before whatever the caller puts there next. Throw: CudaError when the
// launch fails.
template <typename Scalar>
void launch_frame(const Scalar* waveform, const Scalar* window, const FrameShape& shape,
                  RowRange rows, Scalar* frames, void* stream);
template <typename Scalar>
void launch_mel(const Scalar* spectrum, const MelTable<Scalar>& table, const MelShape& shape,
                int64_t rows, Scalar* energies, void* stream);

}  // namespace vmr::audio::detail
