// Pins the cues of a pulse, and what they make of it, to cases worked by hand.
#include "audio/beat_pulse.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "audio/beat_tempo.h"

namespace vmr::audio::detail {
namespace {

constexpr int64_t kSeconds = 40, kMiddle = 20;

struct Onset {
  int64_t frame;  // behind each beat
  float height = 1;
};

// Beats every `interval` frames of 10 ms, the onsets behind each.
struct Song {
  Song(int64_t interval, const std::vector<Onset>& onsets) {
    bands.frames = kSeconds * 100;
    for (auto& curve : bands.curves) curve.resize(bands.frames);
    for (int64_t beat = interval / 2; beat < bands.frames; beat += interval) {
      beats.push_back(beat);
      for (const auto& [frame, height] : onsets) strike(beat + frame, height);
    }
  }

  // beat_curve counts kAll by 0.6.
  void strike(int64_t frame, float height) {
    if (frame < bands.frames) bands.curves[kAll][frame] = height / 0.6F;
  }

  double grid() const {
    return pulse_cues(std::vector<float>(kSeconds * kPeriods), bands, beats)[kMiddle].grid;
  }

  BeatBands bands;
  std::vector<int64_t> beats;
};

TEST(BeatPulse, OnsetsOnSimplePartsOfTheBeatAreOnTheGrid) {
  EXPECT_NEAR(Song(48, {{0}}).grid(), 1, 1e-3);
  EXPECT_NEAR(Song(48, {{0}, {24}}).grid(), 1, 1e-3);
  EXPECT_NEAR(Song(48, {{0}, {12}, {36}}).grid(), 1, 1e-3);
  EXPECT_NEAR(Song(48, {{0}, {16}, {32}}).grid(), 1, 1e-3);
  // An eighth is a quarter of a turn for n = 2, half a turn for n = 4: |1 + i| / 2.
  EXPECT_NEAR(Song(50, {{0}}).grid(), 1, 1e-3);
  EXPECT_NEAR(Song(40, {{0}, {5}}).grid(), std::sqrt(0.5), 0.01);
}

TEST(BeatPulse, OnsetsAnywhereAreNotOnTheGrid) {
  std::vector<Onset> everywhere;
  for (int64_t frame = 0; frame < 40; ++frame) everywhere.push_back({frame});
  EXPECT_LT(Song(40, everywhere).grid(), 0.01);
  EXPECT_EQ(Song(40, {}).grid(), 0);
}

// 10 on the beat counts as 3 does, 9 against the 1 an eighth behind it: |9 + i| / 10. In the 17
// seconds around the middle are 1700 frames, of 42.5 beats: two more or less of either.
TEST(BeatPulse, LoudOnsetsAreLimited) {
  EXPECT_NEAR(Song(40, {{0, 10}, {5, 1}}).grid(), std::abs(std::sqrt(82.) / 10), 0.005);
}

// Beats 3 frames early and late in turn, each with an onset. The mean of seven lies 3/7 to the
// other side, so each onset is 24/7 off the grid, of intervals of 50 + 6/7: cos(2 pi 2 24 / 356) of
// n = 2.
TEST(BeatPulse, AChainThatRunsAfterUnevenOnsetsGainsNothing) {
  Song song(50, {});
  for (size_t i = 0; i < song.beats.size(); ++i) {
    song.beats[i] += i % 2 == 0 ? 3 : -3;
    song.strike(song.beats[i], 1);
  }
  EXPECT_NEAR(song.grid(), std::cos(4 * std::numbers::pi * 24 / 356), 1e-3);
}

// A tempo that grows by 20 % over the song bends the grid by less than a frame.
TEST(BeatPulse, ARampIsOnTheGrid) {
  Song song(50, {});
  song.beats.clear();
  for (double at = 20, interval = 60; at + interval < 4000; at += interval, interval *= 0.9975) {
    song.beats.push_back(std::llround(at));
    song.strike(song.beats.back(), 1);
    song.strike(std::llround(at + interval / 2), 1);
  }
  EXPECT_GT(song.grid(), 0.97);
}

TEST(BeatPulse, SalienceIsTheMeanOfSevenWindows) {
  std::vector<float> saliences(kSeconds * kPeriods);
  for (int64_t i = 0; i < kSeconds; ++i) saliences[i * kPeriods + i] = static_cast<float>(i);
  const Song song(50, {{0}});
  const auto cues = pulse_cues(saliences, song.bands, song.beats);
  ASSERT_EQ(cues.size(), size_t(kSeconds));
  EXPECT_DOUBLE_EQ(cues[0].salience, 1.5);  // 0 to 3
  EXPECT_DOUBLE_EQ(cues[20].salience, 20);
  EXPECT_DOUBLE_EQ(cues[39].salience, 37.5);  // 36 to 39
}

// ln(0.9 + 0.1) = 0 leaves 16.8 grid - 5.83.
TEST(BeatPulse, StrengthIsLogisticInBothCues) {
  EXPECT_NEAR(pulse_strength({0.9, 0.5}), 1 / (1 + std::exp(-2.57)), 1e-9);
  EXPECT_NEAR(pulse_strength({0.9 / 2 - 0.05, 0.5}), 1 / (1 + std::exp(6.25 * std::log(2) - 2.57)),
              1e-9);
}

}  // namespace
}  // namespace vmr::audio::detail
