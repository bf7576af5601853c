#include "vmr/audio/energy.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "audio/mel_energies.h"
#include "vmr/core/error.h"

namespace vmr::audio {

void validate(const EnergyOptions& options) {
  const auto check = [](bool good, const char* field, double value, const char* rule) {
    VMR_CHECK(good, "EnergyOptions: ", field, " = ", value, ", but it must be ", rule);
  };
  check(options.rate_hz >= 4000 && options.rate_hz <= 192000, "rate_hz", options.rate_hz,
        "4000 to 192000");
  check(options.hop_seconds >= 0.01 && options.hop_seconds <= 10, "hop_seconds",
        options.hop_seconds, "0.01 to 10");
  check(std::isfinite(options.floor_decibels) && options.floor_decibels < 0, "floor_decibels",
        options.floor_decibels, "below 0");
}

at::Tensor energy_curve(const at::Tensor& waveform, const EnergyOptions& options) {
  validate(options);
  detail::check_waveform("energy_curve", waveform, false, false);
  const auto sound = waveform.cpu().contiguous();
  detail::check_samples("energy_curve", sound);
  const auto hop = std::llround(options.rate_hz * options.hop_seconds);
  const auto count = sound.size(0) / hop;
  auto curve = at::empty({count}, at::kFloat);
  auto* out = curve.mutable_data_ptr<float>();
  const auto* sample = sound.const_data_ptr<float>();
  for (int64_t t = 0; t < count; ++t) {
    double sum = 0;
    for (int64_t i = t * hop; i < (t + 1) * hop; ++i) sum += double(sample[i]) * double(sample[i]);
    const double decibels = 10 * std::log10(sum / double(hop));  // -inf for silence
    out[t] = float(std::max(decibels, options.floor_decibels));
  }
  return curve;
}

}  // namespace vmr::audio
