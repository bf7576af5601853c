// Pins that tracks are balanced and stable, that films draw around them with the stated widths, and
// that the likelihoods are densities of those draws.
#include "vmr/synth/hidden_state.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

#include "vmr/core/error.h"

namespace vmr::synth {
namespace {

TEST(DrawTrack, GivesEveryMoodOnceInEveryRound) {
  for (int64_t round = 0; round < 3; ++round) {
    std::set<int> moods;
    for (int64_t i = 0; i < kMoods; ++i) moods.insert(draw_track(7, round * kMoods + i, 20).mood);
    EXPECT_EQ(moods.size(), static_cast<size_t>(kMoods));
  }
}

TEST(DrawTrack, DependsOnSeedAndIndexAlone) {
  EXPECT_EQ(draw_track(7, 5, 20), draw_track(7, 5, 20));
  EXPECT_NE(draw_track(7, 5, 20).seed, draw_track(8, 5, 20).seed);
  EXPECT_NE(draw_track(7, 5, 20).seed, draw_track(7, 6, 20).seed);
}

TEST(DrawTrack, StaysInsideTheTemposAPersonWouldPlay) {
  std::set<int> metres;
  int ramps = 0, drumless = 0, swinging = 0;
  for (int64_t i = 0; i < 240; ++i) {
    const TrackState state = draw_track(3, i, 25);
    EXPECT_GE(state.tempo_bpm, 60);
    EXPECT_LE(state.tempo_bpm, 190);
    EXPECT_GE(state.end_tempo_bpm, 60);
    EXPECT_LE(state.end_tempo_bpm, 190);
    metres.insert(state.beats_per_bar);
    ramps += state.end_tempo_bpm != state.tempo_bpm;
    drumless += !state.drums;
    swinging += state.swing > 0;
  }
  EXPECT_EQ(metres, (std::set<int>{3, 4}));
  EXPECT_GT(ramps, 5);
  EXPECT_GT(drumless, 20);
  EXPECT_GT(swinging, 5);
}

TEST(Observe, CopiesTheMoodAndTempoAtDifficultyZero) {
  const TrackState track = draw_track(1, 4, 20);
  const Observation seen = observe(track, 0.0, 1, 4, 0);
  EXPECT_EQ(seen.mood, track.mood);
  const double mean = 0.5 * (track.tempo_bpm + track.end_tempo_bpm);
  EXPECT_NEAR(seen.tempo_bpm, mean, 0.04 * mean);
  EXPECT_NEAR(seen.style.energy, track.style.energy, 0.05);
}

TEST(Observe, DrawsWithTheStatedWidth) {
  TrackState track;
  track.style = {.5, .5, .5, .5, .5};
  const int draws = 4000;
  double squares = 0.0, octaves = 0.0;
  int same = 0;
  for (int film = 0; film < draws; ++film) {
    const Observation seen = observe(track, 0.5, 9, 0, film);
    squares += std::pow(seen.style.warmth - 0.5, 2);
    octaves += std::pow(std::log2(seen.tempo_bpm / track.tempo_bpm), 2);
    same += seen.mood == track.mood;
  }
  // 0.01 + 0.4 * 0.5 = 0.21; the standard error of a standard deviation is 1.1 % here.
  EXPECT_NEAR(std::sqrt(squares / draws), 0.21, 0.008);
  EXPECT_NEAR(std::sqrt(octaves / draws), 0.21, 0.008);
  EXPECT_NEAR(static_cast<double>(same) / draws, 1.0 - 0.65 * 0.5, 0.025);
  EXPECT_THROW(observe(track, 1.5, 9, 0, 0), InvalidArgument);
}

TEST(LogLikelihood, IsTheSumOfItsDensities) {
  TrackState track;
  track.mood = 2;
  Observation seen{.mood = 2, .style = track.style, .tempo_bpm = track.tempo_bpm};
  const double width = 0.01 + 0.4 * 0.25, peak = -std::log(width * std::sqrt(2 * M_PI));
  EXPECT_NEAR(log_likelihood(seen, track, 0.25), std::log(1 - 0.65 * 0.25) + 6 * peak, 1e-12);
  seen.style.energy += 2 * width;
  seen.tempo_bpm *= std::exp2(width);
  seen.mood = 3;
  EXPECT_NEAR(log_likelihood(seen, track, 0.25),
              std::log(0.65 * 0.25 / (kMoods - 1)) + 6 * peak - 2.0 - 0.5, 1e-12);
}

TEST(CutLogLikelihood, RewardsCutsOnBeatsByHowRareTheyAre) {
  const std::vector<double> beats{1.0, 1.5, 2.0, 2.5};
  const double agree = 1 - 0.95 * 0.4;
  // Within half a frame of 1/25 s of a beat: the window is 0.04 s of each 0.5 s.
  EXPECT_NEAR(cut_log_likelihood({1.51}, beats, 25, 0.4), std::log(agree * 0.5 / 0.04 + 1 - agree),
              1e-3);
  EXPECT_NEAR(cut_log_likelihood({1.75, 2.2}, beats, 25, 0.4), 2 * std::log(1 - agree), 1e-12);
  EXPECT_EQ(cut_log_likelihood({}, beats, 25, 0.4), 0.0);
}

}  // namespace
}  // namespace vmr::synth
