// Pins where beats lie under each shape of the tempo, to values by hand.
#include "support/corpus/beat_clock.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vmr::corpus {
namespace {

BeatClock clock(const TempoShape& shape, int beats, double first = 0) {
  return BeatClock(shape, first, beats, synth::Random(1, "test"));
}

TEST(BeatClock, CountsFromTheFirstBeat) {
  const auto steady = clock({.bpm = 120}, 8, 0.3);
  EXPECT_NEAR(steady.seconds(0), 0.3, 1e-12);
  EXPECT_NEAR(steady.seconds(3.25), 0.3 + 1.625, 1e-12);
  EXPECT_NEAR(steady.seconds(10), 0.3 + 5, 1e-12);  // past the end
  EXPECT_NEAR(steady.mean_bpm(), 120, 1e-9);
  EXPECT_EQ(steady.times().size(), 9u);
}

TEST(BeatClock, SwingsTheOffBeatAlone) {
  const auto swung = clock({.bpm = 60, .swing = 2.0 / 3}, 4);
  EXPECT_NEAR(swung.seconds(1.5), 1 + 2.0 / 3, 1e-12);
  EXPECT_NEAR(swung.seconds(1.25), 1 + 1.0 / 3, 1e-12);
  EXPECT_NEAR(swung.seconds(2), 2, 1e-12);
}

TEST(BeatClock, RampsAndSteps) {
  const auto ramp = clock({.bpm = 100, .ramp = 1.2}, 50);
  const auto& t = ramp.times();
  EXPECT_NEAR(60 / (t[1] - t[0]), 100, 1e-9);
  EXPECT_NEAR(60 / (t[50] - t[49]), 120, 1e-9);
  const auto step = clock({.bpm = 100, .step = 1.5, .step_beat = 3}, 6);
  EXPECT_NEAR(step.seconds(3), 1.8, 1e-12);
  EXPECT_NEAR(step.seconds(6), 1.8 + 1.2, 1e-12);
}

TEST(BeatClock, StopsInAPauseAndGoesOn) {
  TempoShape shape{.bpm = 60};
  shape.pause_beats = {1};
  shape.pause_seconds = 2.3;
  const auto paused = clock(shape, 4);
  EXPECT_NEAR(paused.seconds(1.5), 1.5, 1e-12);  // the note before the pause is not stretched
  EXPECT_NEAR(paused.seconds(2), 4.3, 1e-12);
  EXPECT_NEAR(paused.mean_bpm(), 60, 1e-9);
}

TEST(BeatClock, BreathesAroundTheTempoAndSlowsAtTheEnd) {
  const auto breathing = clock({.bpm = 90, .rubato = 0.1, .phrase_beats = 8}, 64);
  const auto& t = breathing.times();
  EXPECT_NEAR(60 / (t[1] - t[0]), 90 * (1 - 0.1 * std::cos(M_PI / 8)), 1e-9);
  EXPECT_NEAR(60 / (t[4] - t[3]), 90 * (1 + 0.1 * std::cos(M_PI / 8)), 1e-9);
  const auto slowing = clock({.bpm = 60, .ritardando = 0.2}, 10);
  EXPECT_NEAR(slowing.times()[10] - slowing.times()[9], 1 / 0.8, 1e-9);
  EXPECT_NEAR(slowing.times()[6] - slowing.times()[5], 1, 1e-9);
}

TEST(BeatClock, DriftsByAsMuchAsSaid) {
  const auto drifting = clock({.bpm = 120, .drift = 0.01}, 4000);
  double sum = 0;
  const auto& t = drifting.times();
  for (size_t i = 100; i < 4000; ++i) sum += std::pow(0.5 / (t[i + 1] - t[i]) - 1, 2);
  EXPECT_NEAR(std::sqrt(sum / 3900), 0.01, 0.002);
}

}  // namespace
}  // namespace vmr::corpus
