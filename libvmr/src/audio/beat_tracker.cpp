#include "audio/beat_tracker.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "audio/beat_bars.h"
#include "audio/beat_hypotheses.h"
#include "audio/beat_pulse.h"
#include "audio/beat_tempo.h"

namespace vmr::audio::detail {
namespace {

constexpr double kLeastPulse = 0.5;
constexpr double kSameTempo = 0.04;  // share by which tempi of one hypothesis may differ
constexpr double kLeastProbability = 0.005;

// First and last frame between which the music plays: where the curve has an onset a third as
// strong as that of a usual beat.
std::pair<int64_t, int64_t> played(const BeatBands& bands, const std::vector<int64_t>& beats) {
  std::vector<float> strengths;
  for (const int64_t beat : beats) strengths.push_back(bands.tops[kAll][beat]);
  const auto middle = strengths.begin() + static_cast<int64_t>(strengths.size() / 2);
  std::nth_element(strengths.begin(), middle, strengths.end());
  const float least = 0.3F * *middle;
  int64_t first = 0, last = bands.frames - 1;
  const auto& curve = bands.curves[kAll];
  while (first < last && curve[first] <= least) ++first;
  while (last > first && curve[last] <= least) --last;
  return {first, last};
}

std::vector<int64_t> kept_beats(const BeatBands& bands, const std::vector<int64_t>& beats,
                                const std::vector<double>& pulse) {
  constexpr int64_t kSlack = 3;
  const auto [first, last] = played(bands, beats);
  const float silence = silence_of(bands.level);
  std::vector<int64_t> kept;
  for (const int64_t beat : beats) {
    const auto second = std::min<int64_t>(int64_t(double(beat) / bands.frames_per_second),
                                          int64_t(pulse.size()) - 1);
    if (beat < first - kSlack || beat > last + kSlack) continue;
    if (bands.level[beat] > silence && pulse[second] > kLeastPulse) kept.push_back(beat);
  }
  return kept;
}

}  // namespace

std::vector<TempoHypothesis> tempi_of(const std::vector<BeatHypothesis>& hypotheses) {
  std::vector<TempoHypothesis> tempi;
  for (const auto& hypothesis : hypotheses) {
    const auto same = std::find_if(tempi.begin(), tempi.end(), [&](const auto& tempo) {
      return std::abs(tempo.bpm / hypothesis.bpm - 1) < kSameTempo;
    });
    if (same == tempi.end()) {
      tempi.push_back({hypothesis.bpm, hypothesis.probability});
    } else {
      same->probability += hypothesis.probability;
    }
  }
  // That of the beats stays, however unlikely: a stream may hold on to it for a while.
  tempi.erase(
      std::remove_if(tempi.begin() + 1, tempi.end(),
                     [](const auto& tempo) { return tempo.probability < kLeastProbability; }),
      tempi.end());
  std::stable_sort(tempi.begin() + 1, tempi.end(),
                   [](const auto& a, const auto& b) { return a.probability > b.probability; });
  return tempi;
}

TrackedBeats track_bands(const BeatBands& bands) {
  TrackedBeats result;
  if (bands.frames == 0) return result;
  const auto periods = saliences(tempogram(bands));
  const auto hypotheses = beat_hypotheses(bands, periods);
  if (hypotheses.empty()) return result;
  const auto& best = hypotheses.front();
  std::vector<double> pulse;
  for (const auto& cues : pulse_cues(periods, bands, best.chain.beats))
    pulse.push_back(pulse_strength(cues));
  auto beats = kept_beats(bands, best.chain.beats, pulse);
  double mean_pulse = 0;
  for (const double value : pulse) mean_pulse += value / double(pulse.size());
  result.confidence = mean_pulse * best.probability;
  if (beats.size() < 4) return result;
  result.bpm = best.bpm;
  result.tempi = tempi_of(hypotheses);
  const auto bars = find_bars(bar_accents(bands, beats), beats);
  result.beats_per_bar = bars.beats_per_bar;
  for (const int64_t index : bars.down_beats) result.down_beats.push_back(beats[index]);
  result.beats = std::move(beats);
  return result;
}

}  // namespace vmr::audio::detail
