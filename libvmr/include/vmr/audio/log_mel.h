// Log-mel spectrogram: Hann-windowed frames, power spectrum, triangular mel bands, logarithm. The
// defaults are librosa's front end (melspectrogram + power_to_db, agreement 1e-3 dB); presets give
// the published ones of VGGish and musicnn. Runs on the device of its input; every item of a batch
// is computed as if it were alone. Stateless, thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace vmr::audio {

// Where the bands lie, and along which axis their triangles are straight.
enum class MelScale {
  slaney,  // linear below 1 kHz, logarithmic above; triangles straight in Hz (librosa)
  htk,     // 2595 log10(1 + f/700); triangles straight in Hz
  kaldi,   // 1127 ln(1 + f/700); triangles straight in mel (Kaldi, VGGish)
};

// What is taken of x = max(gain * energy + offset, floor).
enum class MelLog {
  none,     // x
  natural,  // ln x
  log10,    // log10 x
  decibel,  // 10 log10 x
};

// What lies beyond the ends of the signal.
enum class FramePadding {
  none,     // nothing: frame t starts at sample t * hop, whole windows only
  zeros,    // silence: frame t is centred on sample t * hop
  reflect,  // the mirrored signal (end sample not repeated), frames centred likewise
};

struct LogMelOptions {
  double rate_hz = 16000;
  int64_t fft_samples = 2048;     // even, 2 to 8192
  int64_t window_samples = 2048;  // periodic Hann, 2 to fft_samples, zeros up to fft_samples
  int64_t hop_samples = 512;
  int64_t mels = 128;
  double low_hz = 0;
  double high_hz = 0;  // 0: half the rate
  MelScale scale = MelScale::slaney;
  bool area_norm = true;  // each triangle divided by half its width in Hz (Slaney)
  int power = 2;          // 1: magnitude, 2: power
  MelLog log = MelLog::decibel;
  double gain = 1;
  double offset = 0;
  double floor = 1e-10;
  double top_decibels = 80;  // values are raised to the item's maximum minus this; 0: not
  FramePadding padding = FramePadding::zeros;
};

// VGGish: 64 bands 125-7500 Hz of the magnitude, 25/10 ms, ln(x + 0.01), 16 kHz.
LogMelOptions vggish_log_mel();

// musicnn: 96 bands of the power, 512/256 samples at 16 kHz, log10(10000 x + 1).
LogMelOptions musicnn_log_mel();

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const LogMelOptions& options);

// Number of frames for a signal: with padding 1 + floor(samples / hop), without it
// 1 + floor((samples - window) / hop) or 0. Example: 64000 samples give 126 frames.
int64_t log_mel_frames(int64_t samples, const LogMelOptions& options);

// waveform: [samples] or [batch, samples], float32 or float64, in [-1, 1].
// Returns [batch, mels, frames] of the same dtype and device (batch = 1 for [samples]).
// Throws: InvalidArgument for other shapes or dtypes, no samples, or a signal of at most
// fft_samples / 2 samples with reflect padding; CudaError for a CUDA tensor without CUDA.
at::Tensor log_mel(const at::Tensor& waveform, const LogMelOptions& options = {});

}  // namespace vmr::audio
