#include "vmr/audio/onset.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "audio/mel_energies.h"
#include "audio/onset_curve.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

constexpr double kTopDecibels = 80;  // what lies further below the loudest band is raised to this

LogMelOptions log_mel_options(const OnsetOptions& options) {
  LogMelOptions mel;
  mel.rate_hz = options.rate_hz;
  mel.fft_samples = mel.window_samples = options.fft_samples;
  mel.hop_samples = options.hop_samples;
  mel.mels = options.mels;
  mel.padding = options.padding;
  return mel;
}

// rows: [frames, mels] decibels. One pass over them: a song of hours is large.
template <typename Scalar>
at::Tensor curve_of(const at::Tensor& rows, const OnsetOptions& options) {
  const int64_t frames = rows.size(0), mels = rows.size(1);
  const auto* values = rows.const_data_ptr<Scalar>();
  auto curve = at::zeros({frames}, at::kFloat);
  auto* strength = curve.mutable_data_ptr<float>();
  const Scalar lowest = at::amax(rows).item<Scalar>() - static_cast<Scalar>(kTopDecibels);
  VMR_CHECK(std::isfinite(lowest),
            "onset strength: the waveform has samples that are not finite; clean it first");
  // A centred frame meets an onset half a window early; the shift makes up for it.
  const int64_t shift = options.fft_samples / (2 * options.hop_samples);
  for (int64_t t = 1; t + shift < frames; ++t) {
    const Scalar* row = values + t * mels;
    Scalar rise = 0;
    for (int64_t m = 0; m < mels; ++m) {
      const Scalar step = std::max(row[m], lowest) - std::max(row[m - mels], lowest);
      rise += step > 0 ? step : 0;
    }
    strength[t + shift] = static_cast<float>(rise / static_cast<Scalar>(mels));
  }
  return curve;
}

}  // namespace

namespace detail {

at::Tensor onset_curve(const at::Tensor& waveform, const OnsetOptions& options) {
  return onset_curve_of(log_mel_rows(waveform, log_mel_options(options)).squeeze(0).to(at::kCPU),
                        options);
}

at::Tensor onset_curve_of(const at::Tensor& rows, const OnsetOptions& options) {
  return rows.scalar_type() == at::kDouble ? curve_of<double>(rows, options)
                                           : curve_of<float>(rows, options);
}

}  // namespace detail

void validate(const OnsetOptions& options) {
  VMR_CHECK(options.padding != FramePadding::none,
            "OnsetOptions: padding = none, but it must be zeros or reflect");
  validate(log_mel_options(options));
}

at::Tensor onset_strength(const at::Tensor& waveform, const OnsetOptions& options) {
  validate(options);
  detail::check_waveform("onset_strength", waveform, false, false);
  // In double, because the decibels of bands 80 below the loudest show the rounding of float32.
  return detail::onset_curve(waveform.to(at::kDouble), options);
}

}  // namespace vmr::audio
