// Energy of a piece of music over time: root mean square in decibel, for comparing how loud its
// parts are. Stateless, thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

namespace vmr::audio {

struct EnergyOptions {
  double rate_hz = 16000;       // 4000 to 192000
  double hop_seconds = 0.1;     // of a value, 0.01 to 10
  double floor_decibels = -70;  // what is softer counts as this; below 0
};

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const EnergyOptions& options);

// waveform: [samples] float32, in [-1, 1].
// Returns [floor(samples / hop)] float32: value t = max(10 log10(mean of x^2), floor) over the
// samples [t * hop, (t + 1) * hop), hop = rate * hop_seconds rounded to samples. A full-scale sine
// gives -3.01 dB. Throws: InvalidArgument for other shapes or dtypes, no samples, or samples that
// are not finite.
at::Tensor energy_curve(const at::Tensor& waveform, const EnergyOptions& options = {});

}  // namespace vmr::audio
