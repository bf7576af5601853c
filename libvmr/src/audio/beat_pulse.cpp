#include "audio/beat_pulse.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>

#include "audio/beat_hypotheses.h"
#include "audio/beat_tempo.h"

namespace vmr::audio::detail {
namespace {

constexpr int64_t kSalienceReach = 3, kGridReach = 8;  // windows on either side
constexpr int64_t kBeatsReach = 3;                     // beats on either side
// Onsets count by their square up to this: many soft ones tell more than a loud one.
constexpr float kStrongest = 3;

// As benchmarks/fit_beat_pulse.py prints them; fitted on what, docs/design/0011-beat-tracker.md.
constexpr double kSalienceWeight = 6.25, kGridWeight = 16.8, kConstant = -5.83;

// The means of the seven beats around each, fewer towards the ends.
std::vector<double> straightened(std::span<const int64_t> beats) {
  const auto count = static_cast<int64_t>(beats.size());
  std::vector<double> grid(count);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t reach = std::min({kBeatsReach, i, count - 1 - i});
    for (int64_t j = i - reach; j <= i + reach; ++j)
      grid[i] += double(beats[j]) / double(2 * reach + 1);
  }
  return grid;
}

struct Onsets {
  double weight = 0;
  std::array<std::complex<double>, 3> turned{};  // by halves, thirds and quarters of the interval

  void add(double more, double part) {
    const auto turn = std::polar(1.0, 2 * std::numbers::pi * part);
    const auto half = turn * turn;
    weight += more;
    turned[0] += more * half;
    turned[1] += more * (half * turn);
    turned[2] += more * (half * half);
  }
  void add(const Onsets& other) {
    weight += other.weight;
    for (size_t i = 0; i < turned.size(); ++i) turned[i] += other.turned[i];
  }
  double on_grid() const {
    double most = 0;
    for (const auto& sum : turned) most = std::max(most, std::abs(sum));
    return most / (weight + 1e-3);
  }
};

// By whole seconds; what is behind the last window belongs to it.
std::vector<Onsets> onsets_of(const BeatBands& bands, std::span<const int64_t> beats,
                              int64_t windows) {
  const auto grid = straightened(beats);
  const auto curve = beat_curve(bands);
  std::vector<Onsets> seconds(windows);
  size_t next = 1;  // beat that ends the interval; the first and the last go on beyond their ends
  for (int64_t t = 0; t < bands.frames; ++t) {
    while (next + 1 < grid.size() && double(t) >= grid[next]) ++next;
    if (curve[t] <= 0) continue;
    const double height = std::min(curve[t], kStrongest);
    const double part = (double(t) - grid[next - 1]) / (grid[next] - grid[next - 1]);
    const auto second = static_cast<int64_t>(double(t) / bands.frames_per_second);
    seconds[std::min(second, windows - 1)].add(height * height, part);
  }
  return seconds;
}

}  // namespace

std::vector<PulseCues> pulse_cues(const std::vector<float>& saliences, const BeatBands& bands,
                                  std::span<const int64_t> beats) {
  const auto windows = static_cast<int64_t>(saliences.size()) / kPeriods;
  const auto seconds = onsets_of(bands, beats, windows);
  std::vector<double> largest(windows);
  for (int64_t i = 0; i < windows; ++i)
    largest[i] =
        *std::max_element(saliences.begin() + i * kPeriods, saliences.begin() + (i + 1) * kPeriods);
  std::vector<PulseCues> cues(windows);
  for (int64_t i = 0; i < windows; ++i) {
    const auto begin = [&](int64_t reach) { return std::max<int64_t>(0, i - reach); };
    const auto end = [&](int64_t reach) { return std::min(windows, i + reach + 1); };
    // Music may hold its breath, speech may chance upon a rhythm.
    double sum = 0;
    for (int64_t j = begin(kSalienceReach); j < end(kSalienceReach); ++j) sum += largest[j];
    Onsets near;
    for (int64_t j = begin(kGridReach); j < end(kGridReach); ++j) near.add(seconds[j]);
    cues[i] = {sum / double(end(kSalienceReach) - begin(kSalienceReach)), near.on_grid()};
  }
  return cues;
}

double pulse_strength(const PulseCues& cues) {
  return 1 / (1 + std::exp(-(kSalienceWeight * std::log(cues.salience + 0.1) +
                             kGridWeight * cues.grid + kConstant)));
}

}  // namespace vmr::audio::detail
