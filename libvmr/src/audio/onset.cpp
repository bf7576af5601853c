#include "vmr/audio/onset.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "audio/mel_energies.h"
#include "audio/onset_curve.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

LogMelOptions log_mel_options(const OnsetOptions& options) {
  LogMelOptions mel;
  mel.rate_hz = options.rate_hz;
  mel.fft_samples = mel.window_samples = options.fft_samples;
  mel.hop_samples = options.hop_samples;
  mel.mels = options.mels;
  mel.padding = options.padding;
  return mel;
}

}  // namespace

namespace detail {

OnsetCurve onset_curve(const at::Tensor& waveform, const OnsetOptions& options) {
  const auto bands = log_mel(waveform, log_mel_options(options)).squeeze(0);  // [mels, frames]
  const int64_t frames = bands.size(1);
  OnsetCurve curve{at::zeros({frames}, bands.options()), at::amax(bands, {0})};
  // A centred frame meets an onset half a window early; the shift makes up for it.
  const int64_t shift = options.fft_samples / (2 * options.hop_samples);
  const int64_t kept = frames - 1 - shift;
  if (kept > 0) {
    auto rise = at::sub(bands.narrow(1, 1, kept), bands.narrow(1, 0, kept));
    curve.strength.narrow(0, 1 + shift, kept).copy_(rise.clamp_min_(0).mean(0));
  }
  return curve;
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
  return detail::onset_curve(waveform.to(at::kDouble), options).strength.to(at::kFloat);
}

}  // namespace vmr::audio
