// Pins what tells bars, the decoding of their metre, and changes of the spectrum at beats, to cases
// worked by hand.
#include "audio/beat_bars.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "audio/beat_changes.h"

namespace vmr::audio {
namespace {

// `frames` frames of `wide` pairs of bands; decibels(frame, band) is above the floor.
template <typename Decibels>
detail::BeatBands bands_of(int64_t frames, int64_t wide, const Decibels& decibels) {
  detail::BeatBands bands;
  bands.frames = frames;
  bands.sum_bands = wide;
  bands.sums.assign((frames / 2 + 1) * wide, 0);
  for (int64_t row = 1; row <= frames / 2; ++row)
    for (int64_t band = 0; band < wide; ++band)
      bands.sums[row * wide + band] =
          bands.sums[(row - 1) * wide + band] + 2 * decibels(2 * (row - 1), band);
  for (auto& tops : bands.tops) tops.assign(frames, 0);
  return bands;
}

std::vector<int64_t> even_beats(size_t count) {
  std::vector<int64_t> beats;
  for (size_t i = 0; i < count; ++i) beats.push_back(50 * int64_t(i));
  return beats;
}

TEST(BeatBars, FindTheMetreAndItsFirstBeats) {
  for (int64_t length = 2; length <= 7; ++length) {
    std::vector<double> accents;
    std::vector<int64_t> truth;
    for (int64_t i = 0; i < 10 * length; ++i) {
      accents.push_back(i % length == 1 ? 20 : -5);
      if (i % length == 1) truth.push_back(i);
    }
    const auto bars = detail::find_bars(accents, even_beats(accents.size()));
    EXPECT_EQ(bars.beats_per_bar, length);
    EXPECT_EQ(bars.down_beats, truth);
  }
}

TEST(BeatBars, GoOnBehindABarOfAnotherLength) {
  std::vector<double> accents;
  std::vector<int64_t> truth;
  for (int64_t bar = 0; bar < 20; ++bar) {
    truth.push_back(int64_t(accents.size()));
    for (int64_t beat = 0; beat < (bar == 9 ? 5 : 4); ++beat)
      accents.push_back(beat == 0 ? 30 : -10);
  }
  const auto bars = detail::find_bars(accents, even_beats(accents.size()));
  EXPECT_EQ(bars.beats_per_bar, 4);
  EXPECT_EQ(bars.down_beats, truth);
}

// An accent of 30 brings sqrt(3) * 30 on the first beat of four, -30 / sqrt(3) elsewhere: 69 more
// for each bar whose phase is left. Four bars bring 277, five 346; the price is 320, and 40 at a
// gap.
TEST(BeatBars, LeaveTheirPhaseForMoreThanThePrice) {
  for (const bool gap : {false, true}) {
    for (const int64_t late : {1, 4, 5}) {
      std::vector<double> accents;
      for (int64_t i = 0; i < 40; ++i) accents.push_back(i % 4 == 0 ? 30 : 0);
      for (int64_t i = 0; i < 4 * late; ++i) accents.push_back(i % 4 == 1 ? 30 : 0);
      auto beats = even_beats(accents.size());
      for (size_t i = 40; gap && i < beats.size(); ++i) beats[i] += 9;  // 18 %
      const auto bars = detail::find_bars(accents, beats);
      EXPECT_EQ(bars.beats_per_bar, 4);
      const bool leaves = gap || late == 5;
      EXPECT_EQ(bars.down_beats.back(), 40 + 4 * (late - 1) + (leaves ? 1 : 0)) << gap << late;
    }
  }
}

TEST(BeatBars, TemplatesHaveNoSumAndOneSquareABeat) {
  for (int64_t length = 2; length <= 7; ++length) {
    const auto [first, other] = detail::bar_template(length);
    EXPECT_NEAR(first + double(length - 1) * other, 0, 1e-12);
    EXPECT_NEAR(first * first + double(length - 1) * other * other, double(length), 1e-12);
  }
  EXPECT_DOUBLE_EQ(detail::bar_template(5).first, 2);
  EXPECT_DOUBLE_EQ(detail::bar_template(5).other, -0.5);
}

// Twelve beats, 50 frames apart; every fourth from the third on has a low onset of 3, each of the
// others one of 1: (3, 1, 1, 1) has mean 3/2 and deviation sqrt(3)/2, so sqrt(3) and -1/sqrt(3).
TEST(BeatBars, CuesAreStandardScoresOfWhatIsHeardAtTheBeats) {
  auto bands = bands_of(800, 8, [](int64_t, int64_t) { return 10; });
  std::vector<int64_t> beats;
  for (int64_t i = 0; i < 12; ++i) {
    beats.push_back(100 + 50 * i);
    bands.tops[detail::kLow][beats.back()] = i % 4 == 2 ? 3 : 1;
    bands.tops[detail::kHigh][beats.back() + 25] = i % 4 == 1 ? 0 : 2;
  }
  const auto table = detail::bar_cue_table();
  const auto cues = detail::bar_cues(bands, beats);
  const auto accents = detail::bar_accents(bands, beats);
  ASSERT_EQ(cues.size(), 12u);
  for (size_t i = 0; i < 12; ++i) {
    const double low = i % 4 == 2 ? std::sqrt(3) : -1 / std::sqrt(3);
    const double high = i % 4 == 1 ? -std::sqrt(3) : 1 / std::sqrt(3);
    double expected = 0;
    for (size_t cue = 0; cue < detail::kBarCues; ++cue) {
      const std::string name = table[cue].name;
      const double value = name == "low accent"                      ? low
                           : name == "high accent half a beat later" ? high
                                                                     : 0;  // the same at all beats
      EXPECT_NEAR(cues[i][cue], value, 1e-9) << name << " " << i;
      expected += table[cue].weight * value;
    }
    EXPECT_NEAR(accents[i], expected, 1e-9);
  }
  EXPECT_EQ(detail::find_bars(accents, beats).down_beats, (std::vector<int64_t>{2, 6, 10}));
}

std::vector<double> standardised(std::vector<double> values) {
  double mean = 0, square = 0;
  for (const double value : values) mean += value / double(values.size());
  for (const double value : values) square += value * value / double(values.size());
  for (double& value : values) value = (value - mean) / std::sqrt(square - mean * mean);
  return values;
}

// From the ninth of 17 beats on all bands have 16 dB instead of 10.
TEST(BeatBars, ChangesAreKnownWhereBothSidesAre) {
  const auto bands = bands_of(1000, 8, [](int64_t t, int64_t) { return t < 500 ? 10 : 16; });
  std::vector<int64_t> beats;
  for (int64_t i = 0; i < 17; ++i) beats.push_back(100 + 50 * i);
  const auto cues = detail::bar_cues(bands, beats);
  const auto table = detail::bar_cue_table();
  const auto column = [&](const std::string& name) {
    std::vector<double> values;
    for (size_t cue = 0; cue < detail::kBarCues; ++cue)
      if (table[cue].name == name)
        for (const auto& row : cues) values.push_back(row[cue]);
    return values;
  };
  EXPECT_EQ(column("change of shape over two beats"), std::vector<double>(17));
  // 6 dB at one of the 15 beats with neighbours: mean 0.4, deviation sqrt(2.24).
  const auto bass = column("change of the bass over one beat");
  EXPECT_NEAR(bass[8], 5.6 / std::sqrt(2.24), 1e-9);
  EXPECT_NEAR(bass[9], -0.4 / std::sqrt(2.24), 1e-9);
  EXPECT_EQ(bass[0], 0);
  // Nine beats of 16 dB, eight of 10.
  const auto level = column("level of the bass until the next beat");
  EXPECT_NEAR(level[8], std::sqrt(8. / 9), 1e-9);
  EXPECT_NEAR(level[7], -std::sqrt(9. / 8), 1e-9);
  // The stretches have 89 rows behind a beat and 90 before it; so many are beyond the change.
  auto large = standardised({0, 6 * 25 / 89., 6 * 50 / 89., 6 * 75 / 89., 6, 6 * 65 / 90.,
                             6 * 40 / 90., 6 * 15 / 90., 0});
  for (double& value : large) value = value > 0 ? value * value : 0;
  large = standardised(large);
  const auto found = column("large change over four beats");
  EXPECT_EQ(found[3], 0);
  for (size_t i = 0; i < large.size(); ++i) EXPECT_NEAR(found[4 + i], large[i], 1e-9) << i;
  EXPECT_EQ(found[13], 0);
}

// Eight pairs of bands at 10 dB; from frame 200 the four of the bass have 16 dB.
TEST(BeatChanges, AreThoseOfTheMeanSpectrumAroundABeat) {
  const auto bands =
      bands_of(400, 8, [](int64_t t, int64_t band) { return t >= 200 && band < 4 ? 16 : 10; });
  const std::vector<int64_t> beats{0, 50, 100, 150, 200, 250, 300, 350};
  // Eight beats are too few to look at four of them on either side.
  for (const int64_t reach : {1, 4}) {
    const auto changes = detail::beat_changes(bands, beats, reach, 0);
    ASSERT_EQ(changes.all.size(), 6);
    for (size_t i = 0; i < 6; ++i) {
      EXPECT_NEAR(changes.all[i], i == 3 ? 3 : 0, 1e-9);    // 6 dB in half of the bands
      EXPECT_NEAR(changes.shape[i], i == 3 ? 3 : 0, 1e-9);  // 3 dB up or down, beside the mean
      EXPECT_NEAR(changes.bass[i], i == 3 ? 6 : 0, 1e-9);
    }
  }
  // In the middle between 200 and 250: frames 180 to 224, of 22 rows 12 behind the change.
  EXPECT_NEAR(detail::beat_changes(bands, beats, 1, 0.5).bass[3], 6 - 6 * 12 / 22., 1e-9);
}

// From frame 200 the four pairs of the bass have 16 dB instead of 10.
TEST(BeatChanges, LevelsOfTheBassAreMeansUntilTheNextBeat) {
  const auto bands =
      bands_of(400, 8, [](int64_t t, int64_t band) { return t >= 200 && band < 4 ? 16 : 10; });
  // The second lasts from 152 to 249, without the attack: 24 of its 48 rows of two frames before.
  const std::vector<int64_t> beats{50, 150, 250, 350};
  const auto levels = detail::bass_levels(bands, beats);
  ASSERT_EQ(levels.size(), 4u);
  EXPECT_NEAR(levels[0], 10, 1e-9);
  EXPECT_NEAR(levels[1], 13, 1e-9);
  EXPECT_NEAR(levels[2], 16, 1e-9);
  EXPECT_NEAR(levels[3], 16, 1e-9);  // up to the end
}

}  // namespace
}  // namespace vmr::audio
