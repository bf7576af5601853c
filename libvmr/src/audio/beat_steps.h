// The steps of beat tracking on an onset curve, shared by the reference and our tracker. Frames and
// lags are in frames of the curve.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vmr::audio::detail {

// Autocorrelation by lag, lags 0 to window - 1: Hann-tapered windows of the curve around frames
// 0, step, 2 step ..., each divided by its largest value, averaged. The curve goes on to 0 in a
// straight line for half a window beyond both ends.
std::vector<double> mean_autocorrelation(std::span<const double> onset, int64_t window,
                                         int64_t step);

struct TempoPrior {
  double frames_per_second;
  double start_bpm;      // centre of a log-normal prior one octave wide
  double max_bpm = 320;  // faster ones are not looked at
};

// ln(1 + 1e6 g) + ln prior for each lag; -inf for lags that are not looked at.
std::vector<double> tempo_scores(std::span<const double> autocorrelation, const TempoPrior& prior);

// The curve divided by its standard deviation and smoothed by a Gaussian of period / 32.
std::vector<double> local_score(std::span<const double> onset, double period);

// The chain of frames with the largest sum of local scores minus
// tightness * ln(interval / period)^2 for each interval; intervals of period / 2 to 2 periods.
std::vector<int64_t> chain_beats(std::span<const double> score, double period, double tightness);

// Drops beats at both ends whose smoothed score is below half the root mean square; without
// `inclusive` also the last that is left.
std::vector<int64_t> trim_beats(const std::vector<int64_t>& beats, std::span<const double> score,
                                bool inclusive);

}  // namespace vmr::audio::detail
