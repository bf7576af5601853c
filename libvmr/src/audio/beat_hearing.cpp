#include "audio/beat_hearing.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "audio/mel_bank.h"
#include "audio/mel_energies.h"

namespace vmr::audio::detail {
namespace {

constexpr double kTopHz = 8000;

}  // namespace

LogMelOptions tracker_spectrum(double rate_hz) {
  LogMelOptions spectrum;
  spectrum.rate_hz = rate_hz;
  spectrum.hop_samples = std::max<int64_t>(1, std::llround(rate_hz * 0.010));
  spectrum.fft_samples = 2 * std::max<int64_t>(1, std::llround(rate_hz * 0.016));
  spectrum.window_samples = spectrum.fft_samples;
  spectrum.mels = 64;
  spectrum.high_hz = std::min(kTopHz, rate_hz / 2);
  return spectrum;
}

BeatBands hear(const at::Tensor& rows, const LogMelOptions& spectrum) {
  const auto centres =
      mel_centres({spectrum.rate_hz, spectrum.fft_samples, spectrum.mels, spectrum.low_hz,
                   spectrum.high_hz, spectrum.scale, spectrum.area_norm});
  const std::span values(rows.const_data_ptr<float>(), static_cast<size_t>(rows.numel()));
  return beat_bands(
      {values, centres, spectrum.rate_hz / static_cast<double>(spectrum.hop_samples)});
}

BeatBands hear(const at::Tensor& waveform, double rate_hz) {
  const auto spectrum = tracker_spectrum(rate_hz);
  return hear(log_mel_rows(waveform, spectrum).squeeze(0).to(at::kCPU), spectrum);
}

}  // namespace vmr::audio::detail
