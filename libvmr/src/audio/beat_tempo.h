// The tempo of a song over time: local autocorrelation of the onset curves, how well each beat
// period explains it, and smooth paths through these, from which the tempo hypotheses come.
#pragma once

#include <cstdint>
#include <vector>

#include "audio/beat_bands.h"

namespace vmr::audio::detail {

// Windows of eight seconds, one a second, the first centred on 0.5 s.
struct Tempogram {
  double lags_per_second = 50;
  int64_t windows = 0, lags = 0;
  std::vector<float> values;  // [windows, lags], bands added, 1 at lag 0 for each band's weight
};

Tempogram tempogram(const BeatBands& bands);

// Beat periods that are told apart, evenly spaced on a logarithmic scale from 240 to 40 BPM.
constexpr int kPeriods = 96;
double period_seconds(int index);

// How well a beat of `period_seconds` explains a row of the tempogram: the mean of its values at
// the period and its first multiples, the nearer ones counting more.
double salience(const float* lags, int64_t count, double lags_per_second, double period_seconds);

// The salience of each period in each window, [windows, kPeriods], at least 0.
std::vector<float> saliences(const Tempogram& tempogram);

// Which tempi a path prefers: a log-normal bell.
struct TempoBell {
  double centre_bpm;
  double octaves;  // its deviation
};

// One beat period in seconds for each window: most salience under the bell with the fewest changes
// (Viterbi). Small changes cost by their size; a jump has a price of its own, for songs with steps.
std::vector<double> tempo_path(const std::vector<float>& saliences, const TempoBell& bell);

constexpr double kShortestBeatSeconds = 0.25, kLongestBeatSeconds = 1.5;

// The path, its tempo times `ratio`, as frames per beat [frames], within the bounds above.
std::vector<float> period_curve(const std::vector<double>& path, const BeatBands& bands,
                                double ratio);

}  // namespace vmr::audio::detail
