#include "vmr/audio/beat.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "audio/beat_hearing.h"
#include "audio/beat_steps.h"
#include "audio/beat_tracker.h"
#include "audio/mel_energies.h"
#include "audio/onset_curve.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

constexpr double kTempoWindowSeconds = 8;  // librosa's

OnsetOptions onset_options(const BeatOptions& options) {
  if (options.onset) return *options.onset;
  OnsetOptions onset;
  onset.rate_hz = options.rate_hz;
  if (options.method != BeatMethod::reference) {
    const auto spectrum = detail::tracker_spectrum(options.rate_hz);
    onset.hop_samples = spectrum.hop_samples;
    onset.fft_samples = spectrum.fft_samples;
    onset.mels = spectrum.mels;
  }
  return onset;
}

double frames_per_second(const OnsetOptions& onset) {
  return onset.rate_hz / static_cast<double>(onset.hop_samples);
}

std::vector<double> to_vector(const at::Tensor& curve) {
  const auto values = curve.to(at::kDouble).contiguous();
  const auto* begin = values.const_data_ptr<double>();
  return {begin, begin + values.numel()};
}

bool all_zero(const std::vector<double>& onset) {
  return std::all_of(onset.begin(), onset.end(), [](double value) { return value == 0; });
}

int64_t best_lag(const std::vector<double>& scores) {
  return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

void track_reference(const std::vector<double>& onset, const BeatOptions& options,
                     BeatResult& result) {
  const double rate = frames_per_second(result.onset_options);
  const auto window = static_cast<int64_t>(kTempoWindowSeconds * rate);
  const auto scores = detail::tempo_scores(detail::mean_autocorrelation(onset, window, 1),
                                           {rate, options.start_bpm});
  result.tempo_bpm = 60 * rate / static_cast<double>(best_lag(scores));
  const double period = std::nearbyint(60 * rate / result.tempo_bpm);
  const auto score = detail::local_score(onset, period);
  result.beat_frames = detail::chain_beats(score, period, options.tightness);
  if (options.trim)
    result.beat_frames = detail::trim_beats(result.beat_frames, score, options.trim_inclusive);
}

// The largest value of the onset curve within two of the tracker's frames.
int64_t peak_near(const at::Tensor& onset, double frame, double onset_rate) {
  const auto* values = onset.const_data_ptr<float>();
  const auto last = onset.size(0) - 1;
  const auto begin = std::clamp<int64_t>(std::llround(frame - 2 * onset_rate), 0, last);
  const auto end =
      std::clamp<int64_t>(std::llround(frame + 2 * onset_rate) + 1, begin + 1, last + 1);
  return std::max_element(values + begin, values + end) - values;
}

void track_song(const at::Tensor& waveform, const BeatOptions& options, BeatResult& result) {
  const auto spectrum = detail::tracker_spectrum(options.rate_hz);
  const auto rows = detail::log_mel_rows(waveform, spectrum).squeeze(0).to(at::kCPU);
  const bool shared = !options.onset && spectrum.high_hz == options.rate_hz / 2;
  result.onset = shared ? detail::onset_curve_of(rows, result.onset_options)
                        : detail::onset_curve(waveform, result.onset_options);
  const auto bands = detail::hear(rows, spectrum);
  auto song = detail::track_bands(bands);
  const auto seconds = [&](int64_t frame) {
    return detail::seconds_of_beat(frame, bands.frames_per_second);
  };
  const double onset_rate = frames_per_second(result.onset_options) / bands.frames_per_second;
  for (const int64_t frame : song.beats) {
    result.beats_seconds.push_back(seconds(frame));
    result.beat_frames.push_back(peak_near(result.onset, double(frame) * onset_rate, onset_rate));
  }
  for (const int64_t frame : song.down_beats) result.down_beats_seconds.push_back(seconds(frame));
  result.tempo_bpm = song.bpm;
  result.beats_per_bar = song.beats_per_bar;
  result.confidence = song.confidence;
  result.tempi = std::move(song.tempi);
}

void track_external(const at::Tensor& waveform, const BeatOptions& options, BeatResult& result) {
  result.beats_seconds = options.external(waveform, options.rate_hz);
  double before = 0;
  for (const double seconds : result.beats_seconds) {
    VMR_CHECK(std::isfinite(seconds) && seconds >= before,
              "track_beats: the external tracker gave ", seconds, " s after ", before,
              " s; expected times of 0 or more that rise");
    before = seconds;
  }
  const double rate = frames_per_second(result.onset_options);
  const auto last = result.onset.size(0) - 1;
  for (const double seconds : result.beats_seconds)
    result.beat_frames.push_back(std::clamp<int64_t>(std::llround(seconds * rate), 0, last));
  const auto count = result.beats_seconds.size();
  if (count < 2) return;
  std::vector<double> intervals;
  for (size_t i = 1; i < count; ++i)
    intervals.push_back(result.beats_seconds[i] - result.beats_seconds[i - 1]);
  const auto middle = intervals.begin() + intervals.size() / 2;
  std::nth_element(intervals.begin(), middle, intervals.end());
  if (*middle > 0) result.tempo_bpm = 60 / *middle;
}

}  // namespace

void validate(const BeatOptions& options) {
  const auto check = [](bool good, const char* field, auto value, const char* rule) {
    VMR_CHECK(good, "BeatOptions: ", field, " = ", value, ", but it must be ", rule);
  };
  check(options.rate_hz >= 4000 && options.rate_hz <= 96000, "rate_hz", options.rate_hz,
        "4000 to 96000");
  const auto onset = onset_options(options);
  check(onset.rate_hz == options.rate_hz, "onset.rate_hz", onset.rate_hz, "equal to rate_hz");
  validate(onset);
  check(frames_per_second(onset) >= 15 && frames_per_second(onset) <= 1000, "onset.hop_samples",
        onset.hop_samples, "a thousandth to a fifteenth of a second");
  check(std::isfinite(options.tightness) && options.tightness > 0, "tightness", options.tightness,
        "positive");
  check(options.start_bpm >= 20 && options.start_bpm <= 300, "start_bpm", options.start_bpm,
        "20 to 300");
  VMR_CHECK(options.method != BeatMethod::aubio || options.external,
            "BeatOptions: method aubio needs `external`; link vmr::aubio and set it to "
            "aubio_beat_tracker() of vmr/audio_aubio/aubio_beat.h");
}

BeatResult track_beats(const at::Tensor& waveform, const BeatOptions& options) {
  validate(options);
  detail::check_waveform("track_beats", waveform, false, false);
  BeatResult result;
  result.onset_options = onset_options(options);
  if (options.method == BeatMethod::tracker) {
    track_song(waveform, options, result);
    return result;
  }
  const bool exact = options.method == BeatMethod::reference;
  result.onset =
      detail::onset_curve(exact ? waveform.to(at::kDouble) : waveform, result.onset_options);
  if (options.method == BeatMethod::aubio) {
    track_external(waveform, options, result);
    return result;
  }
  const auto onset = to_vector(result.onset);
  if (all_zero(onset)) return result;
  track_reference(onset, options, result);
  const double hop_seconds = 1 / frames_per_second(result.onset_options);
  for (const int64_t frame : result.beat_frames)
    result.beats_seconds.push_back(static_cast<double>(frame) * hop_seconds);
  return result;
}

}  // namespace vmr::audio
