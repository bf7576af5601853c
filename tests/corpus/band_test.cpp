// Pins our band: when its voices sound, and at which pitch.
#include "support/corpus/band.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace vmr::corpus {
namespace {

Samples play(int program, int pitch, double seconds = 1.0) {
  Piece piece{.name = "note", .seconds = 2.5};
  piece.notes = {{program, 0.5, seconds, pitch, 0.8}};
  return play_band(piece, 1);
}

// Strength of a frequency from 0.55 s to 1.05 s, with a Hann window.
double strength(const Samples& samples, double hertz) {
  double re = 0, im = 0;
  constexpr size_t kCount = kRateHz / 2;
  for (size_t i = 0; i < kCount; ++i) {
    const double window = 0.5 - 0.5 * std::cos(2 * M_PI * double(i) / kCount);
    const double value = window * samples[size_t(0.55 * kRateHz) + i];
    re += value * std::cos(2 * M_PI * hertz * double(i) / kRateHz);
    im += value * std::sin(2 * M_PI * hertz * double(i) / kRateHz);
  }
  return std::hypot(re, im);
}

double first_above(const Samples& samples, float share) {
  float peak = 0;
  for (const float sample : samples) peak = std::max(peak, std::abs(sample));
  size_t at = 0;
  while (std::abs(samples[at]) < share * peak) ++at;
  return double(at) / kRateHz;
}

TEST(Band, StrikesOnTime) {
  for (const int drum : {36, 37, 38, 39, 42, 45, 46, 49, 51, 56, 62, 70})
    EXPECT_NEAR(first_above(play(kDrums, drum), 0.1f), 0.5, 0.002) << drum;
  for (const int program : {0, 11, 16, 24, 32}) {
    EXPECT_NEAR(first_above(play(program, 60), 0.1f), 0.5, 0.006) << program;
  }
}

TEST(Band, BeginsSlowVoicesEarly) {
  for (const int program : {48, 73, 89}) {
    const auto samples = play(program, 67);
    EXPECT_LT(first_above(samples, 0.02f), 0.5) << program;
    EXPECT_NEAR(first_above(samples, 0.4f), 0.5, 0.03) << program;
  }
}

TEST(Band, IsInTune) {
  for (const int program : {0, 12, 24, 33, 38, 40, 65, 81}) {
    double best = 0, strongest = 0;
    for (double cents = -60; cents <= 60; cents += 5) {
      const double here = strength(play(program, 69), 440 * std::exp2(cents / 1200));
      if (here > strongest) strongest = here, best = cents;
    }
    EXPECT_NEAR(best, 0, 15) << program;
  }
}

TEST(Band, PlaysTheSameAgain) {
  EXPECT_EQ(play(24, 50), play(24, 50));
  EXPECT_NE(play(24, 50), play(24, 51));
}

}  // namespace
}  // namespace vmr::corpus
