#include "pipeline/sound_peaks.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "vmr/media/audio_reader.h"

namespace vmr::pipeline::detail {
namespace {

constexpr double kPieceSeconds = 60;  // decoded at a time

void take(const media::Audio& audio, double begin_seconds, double step_seconds, SoundPeaks& peaks) {
  const int64_t count = audio.samples.size(1);
  for (int64_t channel = 0; channel < audio.samples.size(0); ++channel) {
    const float* samples = audio.samples.const_data_ptr<float>() + channel * count;
    for (int64_t i = 0; i < count; ++i) {
      const double seconds = audio.start_seconds + double(i) / audio.rate_hz;
      const auto column = int64_t(std::floor((seconds - begin_seconds) / step_seconds));
      if (column < 0 || column >= int64_t(peaks.low.size())) continue;
      // fmin and fmax leave out a NaN: the first sample of a column takes its place.
      auto& low = peaks.low[size_t(column)];
      auto& high = peaks.high[size_t(column)];
      low = std::fmin(low, samples[i]);
      high = std::fmax(high, samples[i]);
    }
  }
}

}  // namespace

SoundPeaks sound_peaks(const std::filesystem::path& path, double begin_seconds, double step_seconds,
                       int64_t columns) {
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  SoundPeaks peaks{std::vector<float>(size_t(columns), kNone),
                   std::vector<float>(size_t(columns), kNone)};
  const double end = begin_seconds + double(columns) * step_seconds;
  media::AudioOptions options;
  options.rate_hz = 0;
  options.channels = 0;
  for (double from = std::max(0.0, begin_seconds); from < end; from += kPieceSeconds) {
    options.start_seconds = from;
    options.duration_seconds = std::min(kPieceSeconds, end - from);
    auto audio = media::read_audio(path, options);
    if (audio.samples.size(1) == 0) break;  // behind its end
    audio.samples = audio.samples.contiguous();
    take(audio, begin_seconds, step_seconds, peaks);
  }
  return peaks;
}

}  // namespace vmr::pipeline::detail
