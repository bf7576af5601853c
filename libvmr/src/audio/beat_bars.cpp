#include "audio/beat_bars.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace vmr::audio::detail {
namespace {

constexpr int64_t kLongestBar = 7;
constexpr double kBreak = 6;  // price of a bar of another length
// What a metre has in advance, per beat, by its number: 4 is the most common, 5 and 7 are rare.
constexpr std::array<double, kLongestBar + 1> kInAdvance{0, 0, 0, 0.02, 0.06, -0.04, -0.04, -0.04};
constexpr double kChangeWeight = 0.6, kLowWeight = 0.35, kLoudWeight = 0.35;

void add_standardised(const std::vector<double>& values, double weight,
                      std::vector<double>& accents) {
  const auto count = static_cast<double>(values.size());
  double mean = 0, square = 0;
  for (const double value : values) mean += value / count;
  for (const double value : values) square += (value - mean) * (value - mean) / count;
  const double scale = square > 0 ? weight / std::sqrt(square) : 0;
  for (size_t i = 0; i < values.size(); ++i) accents[i] += scale * (values[i] - mean);
}

struct Cycle {
  double score = 0;  // per beat
  std::vector<int64_t> down_beats;
};

// Position 0 earns the accent, the others together lose it.
Cycle decode(std::span<const double> accents, int64_t length) {
  const auto count = static_cast<int64_t>(accents.size());
  std::vector<double> total(length), before(length);
  std::vector<uint8_t> from(count * length);
  for (int64_t i = 0; i < count; ++i) {
    before = total;
    const auto top = std::max_element(before.begin(), before.end()) - before.begin();
    for (int64_t place = 0; place < length; ++place) {
      const int64_t previous = (place + length - 1) % length;
      const bool breaks = i > 0 && before[top] - kBreak > before[previous];
      from[i * length + place] = static_cast<uint8_t>(breaks ? top : previous);
      total[place] = (i == 0   ? 0
                      : breaks ? before[top] - kBreak
                               : before[previous]) +
                     (place == 0 ? accents[i] : -accents[i] / static_cast<double>(length - 1));
    }
  }
  auto place = std::max_element(total.begin(), total.end()) - total.begin();
  Cycle cycle{total[place] / static_cast<double>(count), {}};
  for (int64_t i = count - 1; i >= 0; --i) {
    if (place == 0) cycle.down_beats.push_back(i);
    place = from[i * length + place];
  }
  std::reverse(cycle.down_beats.begin(), cycle.down_beats.end());
  // A cycle of length n finds accents of random beats with a gain that grows as 1 / sqrt(n).
  cycle.score *= std::sqrt(static_cast<double>(length));
  return cycle;
}

}  // namespace

std::vector<double> bar_accents(const BeatBands& bands, std::span<const int64_t> beats) {
  const auto count = static_cast<int64_t>(beats.size());
  std::vector<double> changes(count), low(count), loud(count), accents(count);
  for (int64_t i = 0; i < count; ++i) {
    low[i] = bands.tops[kLow][beats[i]];
    loud[i] = bands.tops[kLoud][beats[i]];
    if (i > 0 && i + 1 < count)
      changes[i] =
          spectral_change(bands, double(beats[i - 1]), double(beats[i]), double(beats[i + 1]));
  }
  add_standardised(changes, kChangeWeight, accents);
  add_standardised(low, kLowWeight, accents);
  add_standardised(loud, kLoudWeight, accents);
  return accents;
}

Bars find_bars(std::span<const double> accents) {
  Bars bars;
  if (accents.size() < 8) return bars;
  double best = -1e9;
  for (int64_t length = 2; length <= kLongestBar; ++length) {
    auto cycle = decode(accents, length);
    if (cycle.score + kInAdvance[length] <= best) continue;
    best = cycle.score + kInAdvance[length];
    bars = {length, std::move(cycle.down_beats)};
  }
  return bars;
}

}  // namespace vmr::audio::detail
