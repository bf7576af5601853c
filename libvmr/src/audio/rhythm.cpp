#include "vmr/audio/rhythm.h"

#include <ATen/ops/empty.h>

#include <cmath>
#include <limits>
#include <span>

#include "audio/mel_energies.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The beats of `track` numbered begin to end - 1 as one row of measures.
void measure(const BeatResult& track, size_t begin, size_t end, float* row) {
  const auto count = end - begin;
  const auto* onset = track.onset.const_data_ptr<float>();
  double strength = 0;
  for (size_t i = begin; i < end; ++i) strength += onset[track.beat_frames[i]];
  const auto& times = track.beats_seconds;
  row[0] = static_cast<float>(count);
  row[1] = static_cast<float>(count > 0 ? strength / static_cast<double>(count) : kNan);
  row[2] = static_cast<float>(
      count > 1 ? (times[end - 1] - times[begin]) / static_cast<double>(count - 1) : kNan);
}

void measure_clips_alone(const at::Tensor& waveform, int64_t clip, const BeatOptions& options,
                         std::span<float> rows) {
  for (int64_t i = 0; i < static_cast<int64_t>(rows.size()) / 3; ++i) {
    const auto track = track_beats(waveform.narrow(0, i * clip, clip), options);
    measure(track, 0, track.beats_seconds.size(), rows.data() + 3 * i);
  }
}

void measure_whole_song(const at::Tensor& waveform, int64_t clip, const BeatOptions& options,
                        std::span<float> rows) {
  const auto track = track_beats(waveform, options);
  const double clip_seconds = static_cast<double>(clip) / options.rate_hz;
  const auto& times = track.beats_seconds;
  size_t begin = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(rows.size()) / 3; ++i) {
    const double end_seconds = clip_seconds * static_cast<double>(i + 1);
    size_t end = begin;
    while (end < times.size() && times[end] < end_seconds) ++end;
    measure(track, begin, end, rows.data() + 3 * i);
    begin = end;
  }
}

// `value` as a class below `classes`; counts what had to be clamped.
int64_t clamp_class(double value, int64_t classes, int64_t& clamped) {
  if (value < static_cast<double>(classes)) return static_cast<int64_t>(value);
  ++clamped;
  return classes - 1;
}

}  // namespace

void validate(const RhythmOptions& options) {
  validate(options.beats);
  const double samples = options.clip_seconds * options.beats.rate_hz;
  VMR_CHECK(samples >= 1 && samples < 1e9 && std::abs(samples - std::nearbyint(samples)) < 1e-6,
            "RhythmOptions: clip_seconds = ", options.clip_seconds,
            ", but it must be a whole, positive number of samples");
}

at::Tensor rhythm_measures(const at::Tensor& waveform, const RhythmOptions& options) {
  validate(options);
  detail::check_waveform("rhythm_measures", waveform, false, false);
  const auto clip =
      static_cast<int64_t>(std::llround(options.clip_seconds * options.beats.rate_hz));
  const int64_t clips = waveform.size(0) / clip;
  auto measures = at::empty({clips, 3}, at::kFloat);
  if (clips == 0) return measures;
  const std::span<float> rows(measures.mutable_data_ptr<float>(), 3 * clips);
  if (options.beats.method == BeatMethod::reference) {
    measure_clips_alone(waveform, clip, options.beats, rows);
  } else {
    measure_whole_song(waveform, clip, options.beats, rows);
  }
  return measures;
}

void validate(const RhythmClassOptions& options) {
  const auto check = [](bool good, const char* field, auto value, const char* rule) {
    VMR_CHECK(good, "RhythmClassOptions: ", field, " = ", value, ", but it must be ", rule);
  };
  check(std::isfinite(options.clip_seconds) && options.clip_seconds > 0, "clip_seconds",
        options.clip_seconds, "positive");
  check(options.beat_classes >= 1, "beat_classes", options.beat_classes, "at least 1");
  check(options.strength_classes >= 1, "strength_classes", options.strength_classes, "at least 1");
  check(options.interval_classes >= 2, "interval_classes", options.interval_classes, "at least 2");
}

RhythmClasses rhythm_classes(const at::Tensor& measures, const RhythmClassOptions& options) {
  validate(options);
  VMR_CHECK(measures.defined() && measures.dim() == 2 && measures.size(1) == 3,
            "rhythm_classes: expected measures [clips, 3]");
  const auto rows = measures.to(at::kCPU, at::kDouble).contiguous();
  RhythmClasses result{at::empty({rows.size(0), 3}, at::kLong)};
  const int64_t parts = options.interval_classes - 1;
  const double per_second = static_cast<double>(parts) / options.clip_seconds;
  for (int64_t i = 0; i < rows.size(0); ++i) {
    const double* row = rows.const_data_ptr<double>() + 3 * i;
    int64_t* out = result.classes.mutable_data_ptr<int64_t>() + 3 * i;
    const auto check = [&](int column, const char* name) {
      VMR_CHECK(std::isfinite(row[column]) && row[column] >= 0, "rhythm_classes: clip ", i, ": ",
                name, " = ", row[column], ", but it must be finite and at least 0");
    };
    check(0, "number of beats");
    out[0] = clamp_class(row[0], options.beat_classes, result.clamped);
    out[1] = 0;
    out[2] = parts;
    if (row[0] >= 1) {
      check(1, "onset strength");
      out[1] = clamp_class(std::nearbyint(row[1]), options.strength_classes, result.clamped);
    }
    if (row[0] >= 2) {
      check(2, "interval");
      out[2] = clamp_class(std::floor(row[2] * per_second), parts, result.clamped);
    }
  }
  return result;
}

}  // namespace vmr::audio
