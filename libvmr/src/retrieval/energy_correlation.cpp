#include "retrieval/energy_correlation.h"

#include <algorithm>
#include <cmath>

#include "retrieval/event_nearness.h"
#include "retrieval/film_events.h"
#include "retrieval/null_level.h"
#include "retrieval/shifted_sums.h"

namespace vmr::retrieval::detail {
namespace {

constexpr double kWidthSeconds = 0.8;  // of the window over both curves
constexpr int64_t kLags = 300;         // of their autocorrelations: half a minute
constexpr double kShrink = 0.98;       // of correlations, so that their atanh stays finite

double between(const std::vector<float>& values, double place) {
  place = std::clamp(place, 0.0, double(values.size() - 1));
  const auto low = size_t(place), high = std::min(low + 1, values.size() - 1);
  const double part = place - double(low);
  return (1 - part) * double(values[low]) + part * double(values[high]);
}

// Decibels as shares of the highest power: in decibels quiet moments would count for most.
SampledCurve power_of(const SampledCurve& energy) {
  SampledCurve power = energy;
  const float loudest = *std::max_element(energy.values.begin(), energy.values.end());
  for (float& value : power.values) value = std::pow(10.0f, 0.1f * (value - loudest));
  return power;
}

// The autocorrelation of a few seconds, less their own mean, falls too fast: the sum of all its
// lags is -1/2 whatever the film, and chance would look rare. Near lag 0 it is at least that of
// noise which is as smooth as the window and seen through it: exp(-k^2 / (8 width^2)). Of a minute
// it is more by itself.
void raise_to_window(std::vector<double>& rho) {
  constexpr double kWidth = kWidthSeconds / kClockSeconds;
  const size_t reach = std::min(rho.size(), size_t(6 * kWidth));
  for (size_t k = 0; k < reach; ++k) {
    rho[k] = std::max(rho[k], std::exp(-double(k * k) / (8 * kWidth * kWidth)));
  }
}

}  // namespace

FilmActivity film_activity(const SampledCurve& log_motion, double film_seconds, double stretch) {
  const auto count = int64_t(film_seconds * stretch / kClockSeconds);
  if (log_motion.values.empty() || count < 3) return {};
  SampledCurve stretched = log_motion;
  stretched.rate_hz /= stretch;
  FilmActivity film;
  film.values = smoothed(resampled(stretched, 0, count, kClockSeconds, log_motion.values.back()),
                         kWidthSeconds / kClockSeconds);
  double mean = 0, square = 0;
  for (const float value : film.values) mean += double(value) / double(count);
  for (const float value : film.values) square += (double(value) - mean) * (double(value) - mean);
  if (!(square > 1e-9 * double(count))) return {};
  for (float& value : film.values) value = float((double(value) - mean) / std::sqrt(square));
  film.rho = autocorrelation(film.values, kLags);
  raise_to_window(film.rho);
  return film;
}

EnergyCorrelation::EnergyCorrelation(const FilmActivity& film, const SampledCurve& energy,
                                     double begin, double last)
    : begin_(begin) {
  if (film.values.empty() || energy.values.empty()) return;
  const auto length = int64_t(film.values.size());
  const auto offsets = int64_t((last - begin) / kClockSeconds) + 1;
  const auto power = power_of(energy);
  const float silence = *std::min_element(power.values.begin(), power.values.end());
  const auto loudness = smoothed(resampled(power, begin, offsets + length, kClockSeconds, silence),
                                 kWidthSeconds / kClockSeconds);
  const auto rho = autocorrelation(loudness, kLags);
  if (rho[0] == 0) return;
  slide(film.values, loudness, offsets);
  const double sd = std::sqrt(correlation_variance(film.rho, rho, length));
  for (const float value : correlations_) {
    scores_.push_back(float(std::atanh(kShrink * double(value)) / sd));
  }
}

void EnergyCorrelation::slide(const std::vector<float>& film, const std::vector<float>& energy,
                              int64_t offsets) {
  const size_t length = film.size();
  double sum = 0, square = 0;
  for (size_t i = 0; i < length; ++i) {
    sum += double(energy[i]);
    square += double(energy[i]) * double(energy[i]);
  }
  const auto products = sliding_products(film, energy.data(), size_t(offsets));
  for (size_t offset = 0; offset < size_t(offsets); ++offset) {
    const double power = square - sum * sum / double(length);
    // Rounding of float32 energies leaves some power in a constant stretch.
    const bool constant = power < 1e-10 + 1e-6 * square;
    correlations_.push_back(
        constant ? 0.0f : float(std::clamp(products[offset] / std::sqrt(power), -1.0, 1.0)));
    const double gone = energy[offset], come = energy[offset + length];
    sum += come - gone;
    square += come * come - gone * gone;
  }
}

double EnergyCorrelation::correlation(double offset) const {
  return between(correlations_, (offset - begin_) / kClockSeconds);
}

double EnergyCorrelation::score(double offset) const {
  return between(scores_, (offset - begin_) / kClockSeconds);
}

void EnergyCorrelation::add_scores(double weight, std::vector<float>& total) const {
  for (size_t k = 0; k < total.size(); ++k) {
    total[k] += float(weight * between(scores_, double(k) * kOffsetStepSeconds / kClockSeconds));
  }
}

}  // namespace vmr::retrieval::detail
