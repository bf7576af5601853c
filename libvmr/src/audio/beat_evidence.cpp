#include "audio/beat_evidence.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "audio/beat_changes.h"

namespace vmr::audio::detail {
namespace {

// As benchmarks/fit_beat_weights.py prints it; fitted on what, docs/design/0011-beat-tracker.md.
constexpr std::array<Cue, kCues> kTable{{
    {"strength of mid", -3.05},
    {"strength of loud", 3.33},
    {"contrast: sixths of the interval against the beats", -3.4},
    {"contrast, loud: behind the middle against before it (swing)", 2.63},
    {"high: alternation of two", -3.81},
    {"all: alternation of three", -4.55},
    {"loud: alternation of two, times octaves above 110 BPM", -5.94},
    {"similarity of beats four apart", 4.81},
    {"similarity of beats six apart", -3.34},
    {"octaves below 73 BPM", -7.14},
    {"chain's score over the best chain's", 9.38},
    {"contrast: changes of the spectrum at halves against beats", 18.8},
    {"changes over two beats: alternation of two", -10.1},
    {"logarithm of the changes every bar", 2.68},
    {"contrast, bass: changes every bar at halves against beats", -6.24},
    {"logarithm of the changes of shape over four beats", 1.99},
    {"empty halves and thirds, where nothing else sounds", 27.5},
    {"contrast: changes at halves against beats", -12},
    {"changes of shape: alternation of three", 8.68},
    {"empty halves, times the share of onsets at beats", -5.17},
    {"logarithm of the changes of shape every bar", 4.02},
    {"changes: alternation of two, times likeness of halves and beats", -16},
    {"empty quarters, times contrast over four beats: changes every bar at halves", -7.17},
    {"empty halves, times similarity of beats four apart", -5.56},
    {"bass: changes at halves: alternation of two", -7.67},
}};

constexpr int64_t kStretch = 16;     // beats over which alternation is looked for
constexpr int64_t kBarStretch = 12;  // the same for bars of 2, 3 and 4 beats

// Floors below which values do not tell: of accents, whose mean is 1, and of changes in decibels.
constexpr double kAccentFloor = 0.2, kChangeFloor = 1;

double contrast(double a, double b, double floor = kAccentFloor) {
  return (a - b) / (a + b + floor);
}

double strength(double mean) { return std::log(mean + 0.1); }

// Below half of a curve's mean nothing begins.
bool is_empty(double height) { return height < 0.5; }

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

  std::vector<double> all(Band band, double part) const {
    std::vector<double> values(intervals());
    for (int64_t i = 0; i < intervals(); ++i) values[i] = at(band, i, part);
    return values;
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

// Contrast of the strongest and the weakest of every `groups` values, averaged over stretches that
// overlap by half, so that a bar of another length does not hide it.
double alternation(std::span<const double> values, int64_t groups, double floor = kAccentFloor) {
  const auto count = static_cast<int64_t>(values.size());
  double sum = 0, stretches = 0;
  for (int64_t begin = 0; begin + kStretch / 2 <= count; begin += kStretch / 2) {
    const int64_t end = std::min(count, begin + kStretch);
    std::array<double, 3> total{}, number{};
    for (int64_t i = begin; i < end; ++i) {
      total[i % groups] += values[i];
      ++number[i % groups];
    }
    for (int64_t group = 0; group < groups; ++group) total[group] /= number[group];
    const auto [least, most] = std::minmax_element(total.begin(), total.begin() + groups);
    sum += contrast(*most, *least, floor);
    ++stretches;
  }
  return stretches > 0 ? sum / stretches : 0;
}

// Correlation of the accents of beats `lag` apart, mean over three bands, on the beats and between.
double similarity(const Accents& accents, int64_t lag) {
  const int64_t count = accents.intervals();
  if (count <= lag) return 0;
  double sum = 0;
  for (const Band band : {kLow, kMid, kHigh}) {
    for (const double part : {0.0, 0.5}) {
      auto values = accents.all(band, part);
      double mean = 0, square = 0, product = 0;
      for (const double value : values) mean += value;
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

// Changes of the spectrum from `reach` beats before to `reach` behind the beats, or `part` of an
// interval later. More of the attacks is left out than by beat_changes.
std::vector<double> spectral_changes(const BeatBands& bands, std::span<const int64_t> beats,
                                     size_t reach, double part) {
  std::vector<double> changes;
  for (size_t i = reach; i + reach < beats.size(); ++i) {
    const auto shift = part * static_cast<double>(beats[i + 1] - beats[i]);
    changes.push_back(spectral_change(bands, static_cast<double>(beats[i - reach]) + shift,
                                      static_cast<double>(beats[i]) + shift,
                                      static_cast<double>(beats[i + reach]) + shift));
  }
  return changes;
}

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// Share of the intervals without an onset at any of these parts.
double share_empty(const Accents& accents, std::span<const double> parts) {
  int64_t empty = 0;
  for (int64_t i = 0; i < accents.intervals(); ++i)
    empty += std::all_of(parts.begin(), parts.end(),
                         [&](double part) { return is_empty(accents.at(kAll, i, part)); });
  return static_cast<double>(empty) / static_cast<double>(accents.intervals());
}

// How like their beat the middles are, 0 to 1: where something begins, the smaller accent over the
// larger in the band where they differ most. Above the bass, since a drum may mark the bars.
double likeness_of_halves(const Accents& accents) {
  constexpr double kFloor = 0.1;
  double sum = 0;
  for (int64_t i = 0; i < accents.intervals(); ++i) {
    if (is_empty(accents.at(kAll, i, 0.5))) continue;
    double least = 1;
    for (const Band band : {kMid, kHigh, kAll, kLoud}) {
      const auto [low, high] = std::minmax({accents.at(band, i, 0), accents.at(band, i, 0.5)});
      least = std::min(least, (low + kFloor) / (high + kFloor));
    }
    sum += least;
  }
  return sum / static_cast<double>(accents.intervals());
}

// Of all that begins between the first beat and the last, what begins within three frames of one.
double share_at_beats(const BeatBands& bands, std::span<const int64_t> beats) {
  constexpr int64_t kReach = 3;
  const auto& curve = bands.curves[kAll];
  const auto sum = [&](int64_t begin, int64_t end) {
    return std::accumulate(curve.begin() + std::max<int64_t>(begin, 0),
                           curve.begin() + std::min(end, bands.frames), 0.0);
  };
  double near = 0;
  for (const int64_t beat : beats.first(beats.size() - 1))
    near += sum(beat - kReach, beat + kReach + 1);
  return near / (sum(beats.front(), beats.back()) + 1e-6);
}

// What sounds on before the middles and before the beats, in decibels above the floor.
double background(const BeatBands& bands, std::span<const int64_t> beats) {
  const int64_t wide = bands.sum_bands, rows = bands.frames / 2;
  double sum = 0;
  for (size_t i = 0; i + 1 < beats.size(); ++i) {
    const auto length = static_cast<double>(beats[i + 1] - beats[i]);
    for (const double part : {0.3, 0.8}) {
      const double begin = static_cast<double>(beats[i]) + part * length;
      const int64_t first = std::llround(begin / 2);
      const int64_t end = std::min<int64_t>(rows, std::llround((begin + 0.15 * length) / 2));
      if (end <= first) continue;
      const double* before = bands.sums.data() + first * wide;
      const double* behind = bands.sums.data() + end * wide;
      double total = 0;
      for (int64_t band = 0; band < wide; ++band) total += behind[band] - before[band];
      sum += total / static_cast<double>(2 * (end - first));
    }
  }
  return sum / static_cast<double>(2 * (beats.size() - 1) * wide);
}

// 1 for bare beats: nothing sounds between them, and the spectrum stays as it is. Of right chains,
// half have 0.3 and more if bare, and 99 of 100 less than 0.03 in songs.
double bareness(double changes, double background) { return std::exp(-changes - background / 10); }

// The changes of every second, third or fourth beat, whichever are largest: those of the bars.
// Averaged over stretches of kBarStretch beats, or fewer where there are no more.
double bar_change(std::span<const double> changes) {
  const size_t length = std::min<size_t>(kBarStretch, changes.size());
  double sum = 0, stretches = 0;
  for (size_t begin = 0; length > 0 && begin + length <= changes.size(); begin += length) {
    double best = 0;
    for (const size_t groups : {2, 3, 4}) {
      for (size_t phase = 0; phase < std::min(groups, length); ++phase) {
        double total = 0, number = 0;
        for (size_t i = phase; i < length; i += groups, ++number) total += changes[begin + i];
        best = std::max(best, total / number);
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

std::array<float, kCues> beat_evidence(const BeatBands& bands, const BeatChain& chain,
                                       double best_score) {
  const std::span beats(chain.beats);
  const Accents accents(bands, beats);
  const double bpm = 60 * bands.frames_per_second * static_cast<double>(accents.intervals()) /
                     static_cast<double>(beats.back() - beats.front());
  const double octaves = std::log2(bpm / 110);
  constexpr std::array kQuarters{0.25, 0.75}, kSixths{1 / 6., 5 / 6.};
  constexpr std::array kHalf{0.5};
  constexpr std::array kHalfAndThirds{1 / 3., 0.5, 2 / 3.};
  constexpr std::array kLate{0.58, 0.63, 0.667}, kEarly{0.333, 0.37, 0.42};
  const auto all = accents.all(kAll, 0), loud = accents.all(kLoud, 0);
  const double empty = share_empty(accents, kHalf), alike = similarity(accents, 4);
  const auto changes = spectral_changes(bands, beats, 1, 0),
             between = spectral_changes(bands, beats, 1, 0.5),
             wide = spectral_changes(bands, beats, 2, 0);
  const auto one = beat_changes(bands, beats, 1, 0), one_half = beat_changes(bands, beats, 1, 0.5);
  const auto four = beat_changes(bands, beats, 4, 0),
             four_half = beat_changes(bands, beats, 4, 0.5);
  const double change = mean_of(one.all);
  const std::array<double, kCues> cues{
      strength(accents.mean(kMid, 0)),
      strength(mean_of(loud)),
      contrast(accents.mean(kAll, kSixths), mean_of(all)),
      contrast(accents.mean(kLoud, kLate), accents.mean(kLoud, kEarly)),
      alternation(accents.all(kHigh, 0), 2),
      alternation(all, 3),
      alternation(loud, 2) * octaves,
      alike,
      similarity(accents, 6),
      std::max(0.0, -0.6 - octaves),
      best_score > 0 ? chain.score / best_score : 0,
      contrast(mean_of(between), mean_of(changes), kChangeFloor),
      alternation(wide, 2, kChangeFloor),
      std::log(bar_change(one.all) + kChangeFloor),
      contrast(bar_change(one_half.bass), bar_change(one.bass), kChangeFloor),
      std::log(mean_of(four.shape) + kChangeFloor),
      bareness(change, background(bands, beats)) * share_empty(accents, kHalfAndThirds),
      contrast(mean_of(one_half.all), change, kChangeFloor),
      alternation(one.shape, 3, kChangeFloor),
      empty * share_at_beats(bands, beats),
      std::log(bar_change(one.shape) + kChangeFloor),
      likeness_of_halves(accents) * alternation(one.all, 2, kChangeFloor),
      share_empty(accents, kQuarters) *
          contrast(bar_change(four_half.all), bar_change(four.all), kChangeFloor),
      empty * alike,
      alternation(one_half.bass, 2, kChangeFloor)};
  std::array<float, kCues> evidence{};
  std::copy(cues.begin(), cues.end(), evidence.begin());
  return evidence;
}

}  // namespace vmr::audio::detail
