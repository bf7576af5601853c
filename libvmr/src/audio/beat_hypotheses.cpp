#include "audio/beat_hypotheses.h"

#include <algorithm>
#include <cmath>

#include "audio/beat_evidence.h"
#include "audio/beat_tempo.h"

namespace vmr::audio::detail {

namespace {

constexpr double kSlowestBpm = 48, kFastestBpm = 215;
constexpr size_t kFewestBeats = 4;

template <typename Value>
double median(std::vector<Value> values) {
  const auto middle = values.begin() + static_cast<int64_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

bool alike(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::min(0.2, std::abs(std::log(a[i] / b[i])));
  return sum < 0.025 * static_cast<double>(a.size());
}

// Periods in seconds for each window: paths through the tempogram and their multiples.
std::vector<std::vector<double>> period_paths(const std::vector<float>& saliences) {
  std::vector<std::vector<double>> paths;
  for (const TempoBell& bell : {TempoBell{110, 1.2}, TempoBell{80, 0.5}, TempoBell{140, 0.5}}) {
    const auto path = tempo_path(saliences, bell);
    for (const double ratio : {1.0, 2.0, 0.5, 1.5, 2 / 3.0, 3.0, 1 / 3.0, 4.0, 0.25}) {
      auto other = path;
      for (double& period : other)
        period = std::clamp(period / ratio, kShortestBeatSeconds, kLongestBeatSeconds);
      const double bpm = 60 / median(other);
      if (bpm < kSlowestBpm || bpm > kFastestBpm) continue;
      if (std::none_of(paths.begin(), paths.end(),
                       [&](const auto& known) { return alike(other, known); }))
        paths.push_back(std::move(other));
    }
  }
  return paths;
}

double median_bpm(const BeatBands& bands, const std::vector<int64_t>& beats) {
  std::vector<float> intervals;
  for (size_t i = 1; i < beats.size(); ++i)
    intervals.push_back(static_cast<float>(beats[i] - beats[i - 1]));
  const double middle = median(intervals);
  // The mean of the intervals near the median: frames are coarse.
  double sum = 0, count = 0;
  for (const float interval : intervals) {
    if (std::abs(interval - middle) > 0.1 * middle) continue;
    sum += interval;
    ++count;
  }
  return 60 * bands.frames_per_second * count / sum;
}

// Pairs of frames as one, the larger of the two: a quarter of the work for chains.
std::vector<float> halved(const std::vector<float>& curve) {
  std::vector<float> half((curve.size() + 1) / 2);
  for (size_t i = 0; i < curve.size(); ++i) half[i / 2] = std::max(half[i / 2], curve[i]);
  return half;
}

// Expected halved frames per beat.
std::vector<float> halved_periods(const std::vector<float>& periods) {
  std::vector<float> half((periods.size() + 1) / 2);
  for (size_t i = 0; i < half.size(); ++i) half[i] = 0.5F * periods[2 * i];
  return half;
}

// Halved frames -> frames: of each pair the one that the chain was rewarded for.
void refine(const std::vector<float>& curve, std::vector<int64_t>& beats) {
  for (int64_t& beat : beats) {
    const int64_t first = 2 * beat;
    beat =
        first + (first + 1 < static_cast<int64_t>(curve.size()) && curve[first + 1] > curve[first]);
  }
}

// Silences the curve around the beats, so that the next chain runs between them.
void remove_beats(const std::vector<int64_t>& beats, const std::vector<float>& period,
                  std::vector<float>& onset) {
  for (const int64_t beat : beats) {
    const auto reach = static_cast<int64_t>(0.2F * period[beat]);
    const auto end = std::min<int64_t>(static_cast<int64_t>(onset.size()), beat + reach + 1);
    std::fill(onset.begin() + std::max<int64_t>(0, beat - reach), onset.begin() + end, 0.F);
  }
}

void weigh(const BeatBands& bands, std::vector<BeatHypothesis>& hypotheses) {
  double best = 0, most = -1e9, sum = 0;
  for (const auto& hypothesis : hypotheses) best = std::max(best, hypothesis.chain.score);
  for (auto& hypothesis : hypotheses) {
    hypothesis.evidence = beat_evidence(bands, hypothesis.chain, best);
    hypothesis.probability = log_odds(hypothesis.evidence);
    most = std::max(most, hypothesis.probability);
  }
  for (auto& hypothesis : hypotheses)
    sum += hypothesis.probability = std::exp(hypothesis.probability - most);
  for (auto& hypothesis : hypotheses) hypothesis.probability /= sum;
  std::stable_sort(hypotheses.begin(), hypotheses.end(),
                   [](const auto& a, const auto& b) { return a.probability > b.probability; });
}

}  // namespace

// Low and loud beginnings count twice, being in kAll already: drums, basses and chords carry the
// beat, hi-hats and tunes run between.
std::vector<float> beat_curve(const BeatBands& bands) {
  std::vector<float> curve(bands.frames);
  for (int64_t t = 0; t < bands.frames; ++t)
    curve[t] =
        0.6F * bands.curves[kAll][t] + 0.4F * bands.curves[kLoud][t] + 0.3F * bands.curves[kLow][t];
  return curve;
}

std::vector<BeatHypothesis> beat_hypotheses(const BeatBands& bands,
                                            const std::vector<float>& saliences) {
  std::vector<BeatHypothesis> result;
  if (bands.frames == 0) return result;
  const auto curve = beat_curve(bands);
  const auto whole = halved(curve);
  for (const auto& path : period_paths(saliences)) {
    const auto period = halved_periods(period_curve(path, bands, 1));
    auto onset = whole;
    for (int phase = 0; phase < 2; ++phase) {
      BeatHypothesis hypothesis;
      hypothesis.chain = chain_beats_near(onset, period);
      auto& beats = hypothesis.chain.beats;
      if (beats.size() < kFewestBeats) continue;
      remove_beats(beats, period, onset);
      refine(curve, beats);
      hypothesis.bpm = median_bpm(bands, beats);
      result.push_back(std::move(hypothesis));
    }
  }
  weigh(bands, result);
  return result;
}

}  // namespace vmr::audio::detail
