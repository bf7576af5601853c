#include "audio/beat_evidence.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace vmr::audio::detail {
namespace {

// In the form that benchmarks/fit_beat_weights.py prints. These numbers are older than the script:
// ridge 0.006 on 404 rendered songs of three makes (docs/design/0011-beat-tracker.md).
constexpr std::array<Cue, kCues> kTable{{
    {"strength of all on the beats", -0.586},
    {"contrast: quarters of the interval against the beats", -2.12},
    {"contrast, low: halves against beats", -0.939},
    {"strength of high", 1.07},
    {"high: alternation of two", -3.01},
    {"all: alternation of three", -2.5},
    {"contrast: changes of the spectrum at halves against beats", 8.89},
    {"similarity of beats four apart", 2.02},
    {"irregularity of the intervals", -54.7},
    {"chain's score per second", 0.493},
    {"octaves below 73 BPM", -6.8},
    {"contrast: sixths against beats", -2.88},
    {"strength of mid", -1.03},
    {"contrast, mid: halves against beats", 1.37},
    {"contrast, loud: behind the middle against before it (swing)", 3.33},
    {"contrast: changes every bar at halves against beats", -5.77},
    {"logarithm of the changes every bar", 1.59},
    {"strength of loud", 1.49},
    {"loud: alternation of two", -2.95},
    {"the same times octaves above 110 BPM", -2.77},
}};

constexpr int64_t kStretch = 16;     // beats over which alternation is looked for
constexpr int64_t kBarStretch = 12;  // the same for bars of 2, 3 and 4 beats

double contrast(double a, double b) { return (a - b) / (a + b + 0.2); }

double strength(double mean) { return std::log(mean + 0.1); }

// Heights of the onset curves at places between the beats, over the curves' means.
class Accents {
 public:
  Accents(const BeatBands& bands, std::span<const int64_t> beats) : bands_(bands), beats_(beats) {}

  // `part` of an interval behind beat `index`; the last beat has no interval.
  double at(Band band, int64_t index, double part) const {
    const auto length = static_cast<double>(beats_[index + 1] - beats_[index]);
    const auto frame = beats_[index] + static_cast<int64_t>(part * length + 0.5);
    return bands_.tops[band][frame] / bands_.means[band];
  }

  int64_t intervals() const { return static_cast<int64_t>(beats_.size()) - 1; }

  double mean(Band band, std::span<const double> parts) const {
    double sum = 0;
    for (int64_t i = 0; i < intervals(); ++i)
      for (const double part : parts) sum += at(band, i, part);
    return sum / static_cast<double>(intervals() * static_cast<int64_t>(parts.size()));
  }
  double mean(Band band, double part) const { return mean(band, std::span(&part, 1)); }

 private:
  const BeatBands& bands_;
  std::span<const int64_t> beats_;
};

// Contrast of the strongest and the weakest of every `groups` beats, averaged over stretches that
// overlap by half, so that a bar of another length does not hide it.
double alternation(const Accents& accents, Band band, int64_t groups) {
  double sum = 0, stretches = 0;
  for (int64_t begin = 0; begin + kStretch / 2 <= accents.intervals(); begin += kStretch / 2) {
    const int64_t end = std::min(accents.intervals(), begin + kStretch);
    std::array<double, 3> total{}, number{};
    for (int64_t i = begin; i < end; ++i) {
      total[i % groups] += accents.at(band, i, 0);
      ++number[i % groups];
    }
    for (int64_t group = 0; group < groups; ++group) total[group] /= number[group];
    const auto [least, most] = std::minmax_element(total.begin(), total.begin() + groups);
    sum += contrast(*most, *least);
    ++stretches;
  }
  return stretches > 0 ? sum / stretches : 0;
}

// Correlation of the accents of beats `lag` apart, mean over three bands, on the beats and between.
double similarity(const Accents& accents, int64_t lag) {
  const int64_t count = accents.intervals();
  if (count <= lag) return 0;
  double sum = 0;
  std::vector<double> values(count);
  for (const Band band : {kLow, kMid, kHigh}) {
    for (const double part : {0.0, 0.5}) {
      double mean = 0, square = 0, product = 0;
      for (int64_t i = 0; i < count; ++i) mean += values[i] = accents.at(band, i, part);
      mean /= static_cast<double>(count);
      for (double& value : values) {
        value -= mean;
        square += value * value;
      }
      for (int64_t i = 0; i + lag < count; ++i) product += values[i] * values[i + lag];
      sum += product / static_cast<double>(count - lag) /
             (square / static_cast<double>(count) + 0.05) / 6;
    }
  }
  return sum;
}

// Root mean square of the logarithms of neighbouring intervals' ratios, each at most 0.2.
double irregularity(std::span<const int64_t> beats) {
  double sum = 0;
  for (size_t i = 2; i < beats.size(); ++i) {
    const double ratio = std::log(static_cast<double>(beats[i] - beats[i - 1]) /
                                  static_cast<double>(beats[i - 1] - beats[i - 2]));
    sum += std::min(ratio * ratio, 0.04);
  }
  return std::sqrt(sum / static_cast<double>(beats.size() - 2));
}

// Changes of the spectrum at the beats, or `part` of an interval behind them.
std::vector<double> spectral_changes(const BeatBands& bands, std::span<const int64_t> beats,
                                     double part) {
  std::vector<double> changes;
  for (size_t i = 1; i + 1 < beats.size(); ++i) {
    const auto next = static_cast<double>(beats[i + 1] - beats[i]);
    const auto previous = part > 0 ? next : static_cast<double>(beats[i] - beats[i - 1]);
    const double middle = static_cast<double>(beats[i]) + part * next;
    changes.push_back(spectral_change(bands, middle - previous, middle, middle + next));
  }
  return changes;
}

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// The changes of every second, third or fourth beat, whichever are largest: those of the bars.
// Averaged over stretches of kBarStretch beats.
double bar_change(std::span<const double> changes) {
  double sum = 0, stretches = 0;
  for (size_t begin = 0; begin + kBarStretch <= changes.size(); begin += kBarStretch) {
    double best = 0;
    for (const size_t groups : {2, 3, 4}) {
      for (size_t phase = 0; phase < groups; ++phase) {
        double total = 0;
        for (size_t i = phase; i < kBarStretch; i += groups) total += changes[begin + i];
        best = std::max(best, total * static_cast<double>(groups) / kBarStretch);
      }
    }
    sum += best;
    ++stretches;
  }
  return stretches > 0 ? sum / stretches : 0;
}

}  // namespace

double log_odds(std::span<const float, kCues> evidence) {
  double sum = 0;
  for (int i = 0; i < kCues; ++i) sum += kTable[i].weight * evidence[i];
  return sum;
}

std::span<const Cue, kCues> cue_table() { return kTable; }

std::array<float, kCues> beat_evidence(const BeatBands& bands, const BeatChain& chain) {
  const std::span beats(chain.beats);
  const Accents accents(bands, beats);
  const double per_second = bands.frames_per_second;
  const double bpm = 60 * per_second * static_cast<double>(accents.intervals()) /
                     static_cast<double>(beats.back() - beats.front());
  const double octaves = std::log2(bpm / 110);
  constexpr std::array kQuarters{0.25, 0.75}, kSixths{1 / 6., 5 / 6.};
  constexpr std::array kLate{0.58, 0.63, 0.667}, kEarly{0.333, 0.37, 0.42};
  const double on = accents.mean(kAll, 0), mid = accents.mean(kMid, 0);
  const double pairs = alternation(accents, kLoud, 2);
  const auto changes = spectral_changes(bands, beats, 0),
             between = spectral_changes(bands, beats, 0.5);
  const double bars = bar_change(changes);
  const std::array<double, kCues> cues{
      strength(on),
      contrast(accents.mean(kAll, kQuarters), on),
      contrast(accents.mean(kLow, 0.5), accents.mean(kLow, 0)),
      strength(accents.mean(kHigh, 0)),
      alternation(accents, kHigh, 2),
      alternation(accents, kAll, 3),
      contrast(mean_of(between), mean_of(changes)),
      similarity(accents, 4),
      irregularity(beats),
      chain.score * per_second / static_cast<double>(bands.frames),
      std::max(0.0, -0.6 - octaves),
      contrast(accents.mean(kAll, kSixths), on),
      strength(mid),
      contrast(accents.mean(kMid, 0.5), mid),
      contrast(accents.mean(kLoud, kLate), accents.mean(kLoud, kEarly)),
      contrast(bar_change(between), bars),
      std::log(bars + 0.05),
      strength(accents.mean(kLoud, 0)),
      pairs,
      pairs * octaves};
  std::array<float, kCues> evidence{};
  std::copy(cues.begin(), cues.end(), evidence.begin());
  return evidence;
}

}  // namespace vmr::audio::detail
