// Onset strength with the loudness beside it, for the beat trackers.
#pragma once

#include <ATen/core/Tensor.h>

#include "vmr/audio/onset.h"

namespace vmr::audio::detail {

struct OnsetCurve {
  at::Tensor strength;  // [frames] float32 on the CPU, as onset_strength
  at::Tensor level;     // [frames] float32, decibels of the loudest band of each frame
};

// waveform [samples] float32 or float64; the spectra are taken in its precision. No checks.
OnsetCurve onset_curve(const at::Tensor& waveform, const OnsetOptions& options);

}  // namespace vmr::audio::detail
