// Kaldi's log mel filter bank, the input of the UT-CMVMR audio Conformer: frames without padding at
// the edges, mean removed, pre-emphasis, Povey window, power spectrum, triangles straight in mel,
// natural logarithm. No dither, no energy column. Equals torchaudio.compliance.kaldi.fbank within
// 1e-3. Runs on the device of its input; items of a batch do not influence each other. Stateless,
// thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace vmr::audio {

struct FbankOptions {
  double rate_hz = 16000;
  double frame_ms = 25;
  double shift_ms = 10;
  int64_t mels = 80;
  double low_hz = 20;
  double high_hz = 0;         // 0: half the rate
  double preemphasis = 0.97;  // y[i] = x[i] - preemphasis * x[i-1]; y[0] uses x[0] twice
  bool remove_dc = true;      // subtract each frame's mean
  double floor = 1.1920928955078125e-07;  // energies below it are raised to it (float32 epsilon)
  double input_scale = 1;  // the waveform is multiplied by it; Kaldi itself reads 16 bit: 32768
};

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const FbankOptions& options);

// 1 + floor((samples - frame) / shift), 0 for less than a frame. Example: 64000 samples: 398.
int64_t fbank_frames(int64_t samples, const FbankOptions& options = {});

// waveform: [samples] or [batch, samples] float32, in [-1, 1].
// Returns [frames, mels] or [batch, frames, mels] float32, natural logarithm; digital silence gives
// ln(floor) = -15.942. Too short a waveform gives 0 frames.
// Throws: InvalidArgument for other shapes or dtypes; CudaError for a CUDA tensor without CUDA.
at::Tensor fbank(const at::Tensor& waveform, const FbankOptions& options = {});

}  // namespace vmr::audio
