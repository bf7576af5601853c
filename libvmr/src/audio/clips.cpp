#include "vmr/audio/clips.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

int64_t clip_samples(const ClipOptions& options) {
  return std::llround(options.clip_seconds * options.rate_hz);
}

int64_t kept_samples(int64_t samples, const ClipOptions& options) {
  if (options.max_seconds == 0) return samples;
  return std::min(samples,
                  static_cast<int64_t>(std::llround(options.max_seconds * options.rate_hz)));
}

}  // namespace

void validate(const ClipOptions& options) {
  const auto check = [](bool good, const char* field, double value, const char* rule) {
    VMR_CHECK(good, "ClipOptions: ", field, " = ", value, ", but it must be ", rule);
  };
  check(std::isfinite(options.rate_hz) && options.rate_hz > 0, "rate_hz", options.rate_hz,
        "positive");
  const double samples = options.clip_seconds * options.rate_hz;
  check(samples >= 1 && samples < 1e9 && std::abs(samples - std::nearbyint(samples)) < 1e-6,
        "clip_seconds", options.clip_seconds, "a whole, positive number of samples");
  check(std::isfinite(options.max_seconds) && options.max_seconds >= 0, "max_seconds",
        options.max_seconds, "at least 0 (0: no limit)");
}

int64_t clip_count(int64_t samples, const ClipOptions& options) {
  const int64_t clip = clip_samples(options);
  const int64_t kept = kept_samples(samples, options);
  return kept / clip + (2 * (kept % clip) > clip ? 1 : 0);
}

at::Tensor cut_into_clips(const at::Tensor& waveform, const ClipOptions& options) {
  validate(options);
  VMR_CHECK(waveform.defined() && waveform.dim() == 1,
            "cut_into_clips: expected waveform [samples]; mix down or squeeze the channel axis");
  const int64_t clips = clip_count(waveform.size(0), options);
  const int64_t clip = clip_samples(options);
  const int64_t samples = std::min(clips * clip, kept_samples(waveform.size(0), options));
  auto result = at::zeros({clips * clip}, waveform.options());
  result.narrow(0, 0, samples).copy_(waveform.narrow(0, 0, samples));
  return result.view({clips, clip});
}

}  // namespace vmr::audio
