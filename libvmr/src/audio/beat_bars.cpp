#include "audio/beat_bars.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "audio/beat_changes.h"

namespace vmr::audio::detail {
namespace {

// As benchmarks/fit_bar_weights.py prints them; fitted on what, docs/design/0011-beat-tracker.md.
constexpr std::array<Cue, kBarCues> kTable{{
    {"change of shape over two beats", 5.12},
    {"low accent", 3.11},
    {"high accent half a beat later", -1.92},
    {"level of the bass until the next beat", 4.47},
    {"change of the bass over one beat", 3.65},
    {"large change over four beats", 4.52},
    {"loud accent half a beat later", -1.76},
    {"low accent half a beat earlier", -2},
    {"low accent half a beat later", -1.47},
    {"loud accent", 2.17},
}};
// Logarithmic odds that metres have in advance, by number of beats.
constexpr std::array<double, kLongestBar + 1> kInAdvance{0,    0,     0.48,  1.10,
                                                         1.28, -0.17, -1.19, -0.37};

// Price of a bar of another length, in sums of products of accents and template, and where the
// interval between beats differs from the median of those around by this natural logarithm.
constexpr double kBreak = 320, kBreakAtGap = 40;
constexpr double kGap = 0.15;
constexpr int64_t kNeighbours = 4;  // intervals on either side

constexpr double kLargest = 4;  // deviations up to which large changes count

// Mean 0 and deviation 1; values that are all the same become 0.
void standardise(std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  double mean = 0, square = 0;
  for (const double value : values) mean += value / count;
  for (const double value : values) square += (value - mean) * (value - mean) / count;
  const double scale = square > 1e-12 ? 1 / std::sqrt(square) : 0;
  for (double& value : values) value = scale * (value - mean);
}

// Few large changes, such as those of sections, tell more than many small ones.
std::vector<double> large(std::vector<double> values) {
  standardise(values);
  for (double& value : values) value = std::pow(std::clamp(value, 0.0, kLargest), 2);
  return values;
}

// The curve's tops at the beats, or half an interval before (-1) or behind (1) them.
std::vector<double> tops(const BeatBands& bands, std::span<const int64_t> beats, Band band,
                         int side) {
  const size_t last = beats.size() - 1;
  std::vector<double> values;
  for (size_t i = 0; i <= last; ++i) {
    const size_t from = side < 0 ? std::max<size_t>(i, 1) - 1 : std::min(i, last - 1);
    const double half = 0.5 * static_cast<double>(side * (beats[from + 1] - beats[from]));
    const auto frame = std::llround(static_cast<double>(beats[i]) + half);
    values.push_back(bands.tops[band][std::clamp<int64_t>(frame, 0, bands.frames - 1)]);
  }
  return values;
}

struct Cycle {
  double score = 0;  // per beat
  std::vector<int64_t> down_beats;
};

// Of a bar that another one than expected ends before: [beats].
std::vector<double> break_prices(std::span<const int64_t> beats) {
  const auto count = static_cast<int64_t>(beats.size());
  std::vector<double> prices(count, kBreak);
  std::vector<int64_t> near;
  for (int64_t i = 1; i < count; ++i) {
    near.clear();
    for (int64_t j = std::max<int64_t>(1, i - kNeighbours);
         j <= std::min(count - 1, i + kNeighbours); ++j)
      near.push_back(beats[j] - beats[j - 1]);
    const auto middle = near.begin() + static_cast<int64_t>(near.size() / 2);
    std::nth_element(near.begin(), middle, near.end());
    const double ratio =
        static_cast<double>(beats[i] - beats[i - 1]) / static_cast<double>(*middle);
    if (std::abs(std::log(ratio)) > kGap) prices[i] = kBreakAtGap;
  }
  return prices;
}

Cycle decode(std::span<const double> accents, std::span<const double> prices, int64_t length) {
  const auto count = static_cast<int64_t>(accents.size());
  const auto [first, other] = bar_template(length);
  std::vector<double> total(length), before(length);
  std::vector<uint8_t> from(count * length);
  for (int64_t i = 0; i < count; ++i) {
    before = total;
    const auto top = std::max_element(before.begin(), before.end()) - before.begin();
    for (int64_t place = 0; place < length; ++place) {
      const int64_t previous = (place + length - 1) % length;
      const bool breaks = before[top] - prices[i] > before[previous];
      from[i * length + place] = static_cast<uint8_t>(breaks ? top : previous);
      total[place] = (breaks ? before[top] - prices[i] : before[previous]) +
                     (place == 0 ? first : other) * accents[i];
    }
  }
  auto place = std::max_element(total.begin(), total.end()) - total.begin();
  Cycle cycle{total[place] / static_cast<double>(count), {}};
  for (int64_t i = count - 1; i >= 0; --i) {
    if (place == 0) cycle.down_beats.push_back(i);
    place = from[i * length + place];
  }
  std::reverse(cycle.down_beats.begin(), cycle.down_beats.end());
  return cycle;
}

}  // namespace

std::span<const Cue, kBarCues> bar_cue_table() { return kTable; }

std::vector<std::array<double, kBarCues>> bar_cues(const BeatBands& bands,
                                                   std::span<const int64_t> beats) {
  const auto one = beat_changes(bands, beats, 1, 0), two = beat_changes(bands, beats, 2, 0),
             four = beat_changes(bands, beats, 4, 0);
  std::array<std::vector<double>, kBarCues> columns{two.shape,
                                                    tops(bands, beats, kLow, 0),
                                                    tops(bands, beats, kHigh, 1),
                                                    bass_levels(bands, beats),
                                                    one.bass,
                                                    large(four.all),
                                                    tops(bands, beats, kLoud, 1),
                                                    tops(bands, beats, kLow, -1),
                                                    tops(bands, beats, kLow, 1),
                                                    tops(bands, beats, kLoud, 0)};
  std::vector<std::array<double, kBarCues>> cues(beats.size());
  for (size_t cue = 0; cue < kBarCues; ++cue) {
    auto& column = columns[cue];
    standardise(column);
    const size_t unknown = (beats.size() - column.size()) / 2;  // at either end
    for (size_t i = 0; i < column.size(); ++i) cues[unknown + i][cue] = column[i];
  }
  return cues;
}

std::vector<double> bar_accents(const BeatBands& bands, std::span<const int64_t> beats) {
  std::vector<double> accents;
  for (const auto& cues : bar_cues(bands, beats)) {
    double accent = 0;
    for (int i = 0; i < kBarCues; ++i) accent += kTable[i].weight * cues[i];
    accents.push_back(accent);
  }
  return accents;
}

BarTemplate bar_template(int64_t beats_per_bar) {
  const double first = std::sqrt(static_cast<double>(beats_per_bar - 1));
  return {first, -1 / first};
}

Bars find_bars(std::span<const double> accents, std::span<const int64_t> beats) {
  Bars bars;
  if (accents.size() < 8) return bars;
  const auto prices = break_prices(beats);
  double best = -std::numeric_limits<double>::infinity();
  for (int64_t length = kShortestBar; length <= kLongestBar; ++length) {
    auto cycle = decode(accents, prices, length);
    if (cycle.score + kInAdvance[length] <= best) continue;
    best = cycle.score + kInAdvance[length];
    bars = {length, std::move(cycle.down_beats)};
  }
  return bars;
}

}  // namespace vmr::audio::detail
