#include "audio/beat_stream_tracker.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <cmath>

#include "audio/beat_bars.h"
#include "audio/beat_hearing.h"
#include "audio/beat_hypotheses.h"
#include "audio/beat_pulse.h"
#include "audio/beat_tempo.h"
#include "audio/beat_tracker.h"

namespace vmr::audio::detail {
namespace {

constexpr double kWindowSeconds = 16, kLeastSeconds = 4;
constexpr double kKeepPulse = 0.8, kLeastPulse = 0.5;
constexpr double kNextBeat = 0.6;    // least distance of beats over their period
constexpr int64_t kPeriodBeats = 6;  // the last ones, whose mean distance foretells the next

// The mean distance of the last beats.
double period_of(const std::vector<int64_t>& beats) {
  const auto count = std::min<int64_t>(kPeriodBeats, static_cast<int64_t>(beats.size()) - 1);
  return static_cast<double>(beats.back() - beats[beats.size() - 1 - static_cast<size_t>(count)]) /
         static_cast<double>(count);
}

struct Played {
  int64_t frames = 0;  // that have a sound in the second before them
  int64_t since = 0;   // the first one behind the last second of silence
};

Played played(const BeatBands& bands) {
  const float silence = silence_of(bands.level);
  const auto reach = static_cast<int64_t>(bands.frames_per_second);
  Played result;
  int64_t heard = -reach - 1;
  for (int64_t t = 0; t < bands.frames; ++t) {
    if (bands.level[t] > silence) {
      if (t - heard > reach) result.since = t;
      heard = t;
    }
    result.frames += t - heard <= reach;
  }
  return result;
}

}  // namespace

std::vector<StreamBeat> StreamTracker::hear(const at::Tensor& rows, const Decision& decision) {
  rows_ = rows_.defined() ? at::cat({rows_, rows}) : rows;
  const double per_second = spectrum_.rate_hz / static_cast<double>(spectrum_.hop_samples);
  drop(rows_.size(0) - static_cast<int64_t>(kWindowSeconds * per_second));
  View view;
  if (!look(view)) return {};
  foretell(view, decision.end_seconds * per_second + kLateFrames);
  return decide(view, decision);
}

void StreamTracker::drop(int64_t frames) {
  if (frames <= 0) return;
  rows_ = rows_.narrow(0, frames, rows_.size(0) - frames);
  first_frame_ += frames;
}

// False where there is no pulse.
bool StreamTracker::look(View& view) {
  const auto bands = detail::hear(rows_, spectrum_);
  const auto heard = played(bands);
  if (double(heard.frames) < kLeastSeconds * bands.frames_per_second) {
    // Music behind a pause is new music.
    drop(heard.since);
    lanes_.forget();
    pulse_ = 0;
    windows_ = 0;
    return false;
  }
  const auto periods = saliences(tempogram(bands));
  auto hypotheses = beat_hypotheses(bands, periods);
  if (hypotheses.empty()) return false;
  for (auto& hypothesis : hypotheses)
    for (auto& beat : hypothesis.chain.beats) beat += first_frame_;
  lanes_.follow(hypotheses, first_frame_ + bands.frames);
  view.beats = hypotheses.front().chain.beats;
  auto here = view.beats;
  for (auto& beat : here) beat -= first_frame_;
  // The mean of all windows at first, later one that forgets.
  const double keep = std::min(kKeepPulse, double(windows_) / double(windows_ + 1));
  ++windows_;
  pulse_ = keep * pulse_ + (1 - keep) * pulse_strength(pulse_cues(periods, bands, here).back());
  const auto bars = find_bars(bar_accents(bands, here), here);
  view.common.beats_per_bar = bars.beats_per_bar;
  view.down.resize(view.beats.size());
  for (const int64_t index : bars.down_beats) view.down[index] = true;
  view.level = bands.level;
  view.common.tempo_bpm = 60 * bands.frames_per_second / period_of(view.beats);
  view.common.confidence = pulse_ * hypotheses.front().probability;
  view.common.tempi = tempi_of(hypotheses);
  return pulse_ > kLeastPulse;
}

// Goes on with the beats behind the window, by the last period.
void StreamTracker::foretell(View& view, double until_frame) const {
  const double period = period_of(view.beats), last = double(view.beats.back());
  const auto down = std::find(view.down.rbegin(), view.down.rend(), true);
  int64_t since = down - view.down.rbegin();  // beats since the last first of a bar
  const bool metre = down != view.down.rend();
  for (int64_t i = 1; last + double(i) * period < until_frame + period; ++i) {
    view.beats.push_back(std::llround(last + double(i) * period));
    view.down.push_back(metre && ++since % view.common.beats_per_bar == 0);
  }
}

// Whether there was sound in the period before the frame, or before the end of what has been heard.
bool StreamTracker::sounds(const View& view, double frame, double period) const {
  const auto frames = static_cast<int64_t>(view.level.size());
  const float silence = silence_of(view.level);
  const auto end = std::clamp<int64_t>(static_cast<int64_t>(frame) - first_frame_ + 3, 1, frames);
  const auto begin = std::max<int64_t>(0, end - 3 - static_cast<int64_t>(period));
  return *std::max_element(view.level.begin() + begin, view.level.begin() + end) > silence;
}

std::vector<StreamBeat> StreamTracker::decide(const View& view, const Decision& decision) {
  const double per_second = spectrum_.rate_hz / static_cast<double>(spectrum_.hop_samples);
  const double period = 60 / view.common.tempo_bpm;
  std::vector<StreamBeat> decided;
  for (size_t i = 0; i < view.beats.size(); ++i) {
    const double seconds = seconds_of_beat(view.beats[i], per_second);
    if (seconds < decision.begin_seconds || seconds >= decision.end_seconds) continue;
    if (last_seconds_ >= 0 && seconds - last_seconds_ < kNextBeat * period) continue;
    if (!sounds(view, double(view.beats[i]), period * per_second)) continue;
    decided.push_back(view.common);
    decided.back().seconds = last_seconds_ = seconds;
    decided.back().down_beat = view.down[i];
  }
  return decided;
}

}  // namespace vmr::audio::detail
