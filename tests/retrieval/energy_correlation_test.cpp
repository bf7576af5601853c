// Pins the score of motion against energy by cosines, whose correlations are known.
#include "retrieval/energy_correlation.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vmr::retrieval::detail {
namespace {

constexpr int kFilm = 800, kTrack = 1600;  // values at 10 Hz
constexpr double kPeriod = 200;            // of both curves, values

SampledCurve cosine(int count, double first) {
  SampledCurve curve;
  curve.rate_hz = 10;
  for (int i = 0; i < count; ++i) {
    curve.values.push_back(float(1.5 + std::cos(2 * M_PI * (i + 0.5 - first) / kPeriod)));
  }
  return curve;
}

// A sound of this power.
SampledCurve decibels(SampledCurve power) {
  for (float& value : power.values) value = 10 * std::log10(value) - 20;
  return power;
}

// Lag by lag, as it is defined.
double cosine_rho(int count, int lag) {
  double sum = 0, power = 0;
  for (int i = 0; i < count; ++i) {
    const auto at = [](int k) { return std::cos(2 * M_PI * (k + 0.5) / kPeriod); };
    power += at(i) * at(i);
    if (i + lag < count) sum += at(i) * at(i + lag);
  }
  return sum / power;
}

TEST(EnergyCorrelation, IsFishersAtanhOverItsDeviationByChance) {
  const auto film = film_activity(cosine(kFilm, 0), kFilm / 10.0, 1);
  const EnergyCorrelation fit(film, decibels(cosine(kTrack, 300)), 0, (kTrack - kFilm) / 10.0);
  ASSERT_TRUE(fit.usable());
  double variance = 1.0 / kFilm;
  for (int lag = 1; lag < 300; ++lag) {
    variance +=
        2.0 / kFilm * (1 - double(lag) / kFilm) * cosine_rho(kFilm, lag) * cosine_rho(kTrack, lag);
  }
  const double sd = std::sqrt(variance);
  // Alike from 30 s on, and a period before and after.
  EXPECT_NEAR(fit.correlation(30), 1, 1e-3);
  EXPECT_NEAR(fit.score(30), std::atanh(0.98) / sd, 0.02 * std::atanh(0.98) / sd);
  EXPECT_NEAR(fit.score(50), fit.score(30), 0.05);
  // A sixth of a period away their correlation is cos(60 degrees), half a period away -1.
  EXPECT_NEAR(fit.correlation(30 + 20.0 / 6), 0.5, 0.01);
  EXPECT_NEAR(fit.score(30 + 20.0 / 6), std::atanh(0.49) / sd, 0.03 * std::atanh(0.49) / sd);
  EXPECT_NEAR(fit.score(20), -fit.score(30), 0.1);
}

TEST(EnergyCorrelation, OfAFewSecondsIsHardlyEvidence) {
  // Half a period in three seconds, as any smooth curve may look. Its own autocorrelation falls
  // faster than that of smooth noise, exp(-lag^2 / 512), which counts therefore.
  SampledCurve motion{10, {}};
  for (int i = 0; i < 30; ++i) motion.values.push_back(float(std::cos(M_PI * (i + 0.5) / 30)));
  const auto film = film_activity(motion, 3, 1);
  const EnergyCorrelation fit(film, decibels(cosine(kTrack, 300)), 0, (kTrack - 30) / 10.0);
  ASSERT_TRUE(fit.usable());
  double variance = 1.0 / 30;
  for (int lag = 1; lag < 30; ++lag) {
    variance +=
        2.0 / 30 * (1 - lag / 30.0) * std::exp(-lag * lag / 512.0) * cosine_rho(kTrack, lag);
  }
  double highest = 0;
  for (double offset = 0; offset < 157; offset += 0.1) {
    highest = std::max(highest, fit.score(offset));
  }
  EXPECT_NEAR(highest, std::atanh(0.98) / std::sqrt(variance), 0.08);
  EXPECT_LT(highest, 2.8);  // what the best of all offsets reaches by chance
}

TEST(EnergyCorrelation, OfConstantCurvesThereIsNone) {
  const auto film = film_activity(cosine(kFilm, 0), kFilm / 10.0, 1);
  SampledCurve constant{10, std::vector<float>(kTrack, -20.0f)};
  EXPECT_FALSE(EnergyCorrelation(film, constant, 0, 80).usable());
  EXPECT_TRUE(film_activity({10, std::vector<float>(kFilm, 1.0f)}, 80, 1).values.empty());
}

}  // namespace
}  // namespace vmr::retrieval::detail
