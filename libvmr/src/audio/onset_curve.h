// Onset strength without its checks, for the beat trackers.
#pragma once

#include <ATen/core/Tensor.h>

#include "vmr/audio/onset.h"

namespace vmr::audio::detail {

// As onset_strength, [frames] float32 on the CPU. waveform [samples] float32 or float64; the
// spectra are taken in its precision. Throws: InvalidArgument for samples that are not finite.
at::Tensor onset_curve(const at::Tensor& waveform, const OnsetOptions& options);

// The same from the log-mel rows [frames, mels] in decibels, on the CPU; of `options` only the
// frames count.
at::Tensor onset_curve_of(const at::Tensor& rows, const OnsetOptions& options);

}  // namespace vmr::audio::detail
