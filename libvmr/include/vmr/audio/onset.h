// Onset strength: how much the spectrum grows from frame to frame, the curve beats are found on.
// Log-mel in decibels, positive differences averaged over the bands, shifted so that a peak stands
// at the time of its onset. Equals librosa 0.9 onset_strength within 1e-4 (0.8: reflect padding).
// Independent of the level of the recording above the floor of 1e-10. Stateless, thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "vmr/audio/log_mel.h"

namespace vmr::audio {

struct OnsetOptions {
  double rate_hz = 16000;
  int64_t hop_samples = 512;
  int64_t fft_samples = 2048;  // even
  int64_t mels = 128;
  FramePadding padding = FramePadding::zeros;  // zeros or reflect
};

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const OnsetOptions& options);

// waveform: [samples] float32, in [-1, 1].
// Returns [frames] float32, decibels, frames = 1 + floor(samples / hop); value t belongs to the
// time t * hop / rate. The first 1 + fft / (2 hop) values are 0; silence gives zeros.
// Throws: InvalidArgument for other shapes or dtypes, no samples, or samples that are not finite.
at::Tensor onset_strength(const at::Tensor& waveform, const OnsetOptions& options = {});

}  // namespace vmr::audio
