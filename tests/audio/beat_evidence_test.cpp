// Pins the cues of a chain of beats to onset curves and spectra worked by hand.
#include "audio/beat_evidence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace vmr::audio::detail {
namespace {

constexpr int64_t kPeriod = 100, kIntervals = 24, kFrames = (kIntervals + 3) * kPeriod;
constexpr int64_t kPairs = 8, kBassPairs = 4;  // of mel bands

// 25 beats, 100 frames apart, from frame 100 on; silent, at the floor of the spectrum.
struct Piece {
  BeatBands bands;
  BeatChain chain;

  Piece() {
    bands.frames = kFrames;
    bands.means.fill(1);
    for (auto& curve : bands.curves) curve.assign(kFrames, 0);
    bands.tops = bands.curves;
    bands.sum_bands = kPairs;
    for (int64_t i = 0; i <= kIntervals; ++i) chain.beats.push_back((i + 1) * kPeriod);
    play([](int64_t) { return 0; }, kPairs);
  }

  // An onset `part` of an interval behind a beat.
  void hit(Band band, int64_t beat, double part, float height) {
    const auto frame = chain.beats[beat] + std::llround(part * kPeriod);
    bands.curves[band][frame] = bands.tops[band][frame] = height;
  }
  void hit_all(int64_t beat, double part, float height) {
    for (const Band band : {kLow, kMid, kHigh, kAll, kLoud}) hit(band, beat, part, height);
  }

  // From each beat to the next the lowest `pairs` stand at decibels(beat), the others at 10.
  template <typename Decibels>
  void play(Decibels decibels, int64_t pairs) {
    bands.sums.assign((kFrames / 2 + 1) * kPairs, 0);
    for (int64_t row = 0; row < kFrames / 2; ++row)
      for (int64_t pair = 0; pair < kPairs; ++pair)
        bands.sums[(row + 1) * kPairs + pair] =
            bands.sums[row * kPairs + pair] +
            2. * (pair < pairs ? decibels(2 * row / kPeriod) : 10);
  }

  double cue(const std::string& name) const {
    const auto evidence = beat_evidence(bands, chain, 1);
    const auto table = cue_table();
    for (int i = 0; i < kCues; ++i)
      if (table[i].name == name) return evidence[i];
    ADD_FAILURE() << "no cue is called " << name;
    return 0;
  }
};

TEST(BeatEvidence, BareBeatsAreThoseWithNothingBetweenThem) {
  const std::string name = "empty halves and thirds, where nothing else sounds";
  Piece piece;
  EXPECT_NEAR(piece.cue(name), 1, 1e-6);
  piece.play([](int64_t) { return 5; }, kPairs);  // a hum at 5 dB
  EXPECT_NEAR(piece.cue(name), std::exp(-0.5), 1e-6);
  for (int64_t beat = 0; beat < kIntervals; beat += 4) piece.hit(kAll, beat, 0.5, 0.6F);
  EXPECT_NEAR(piece.cue(name), 0.75 * std::exp(-0.5), 1e-6);
  for (int64_t beat = 1; beat < kIntervals; beat += 4) piece.hit(kAll, beat, 2 / 3., 0.6F);
  EXPECT_NEAR(piece.cue(name), 0.5 * std::exp(-0.5), 1e-6);
  // 1 dB up or down at each beat, and 5.5 on average.
  piece.play([](int64_t beat) { return beat % 2 == 0 ? 5 : 6; }, kPairs);
  EXPECT_NEAR(piece.cue(name), 0.5 * std::exp(-1 - 0.55), 1e-6);
}

TEST(BeatEvidence, EmptyHalvesCountByTheShareOfOnsetsAtBeatsAndBySimilarity) {
  const std::string share = "empty halves, times the share of onsets at beats",
                    similar = "empty halves, times similarity of beats four apart";
  Piece piece;
  for (int64_t beat = 0; beat < kIntervals; ++beat) piece.hit_all(beat, 0, beat % 4 == 0 ? 2 : 1);
  EXPECT_NEAR(piece.cue(share), 1, 1e-5);
  // Beats differ by 0.75 and three times by -0.25 from their mean, in three bands of which each
  // counts a sixth; nothing is between them.
  constexpr double kPower = 0.1875;
  EXPECT_NEAR(piece.cue(similar), 3 * kPower / (kPower + 0.05) / 6, 1e-6);
  // 24 of 54, away from beats and middles; then half of the middles.
  for (int64_t beat = 0; beat < kIntervals; ++beat) piece.hit(kAll, beat, 0.25, 1);
  EXPECT_NEAR(piece.cue(share), 30 / 54., 1e-5);
  for (int64_t beat = 0; beat < kIntervals; beat += 2) piece.hit(kAll, beat, 0.5, 1);
  EXPECT_NEAR(piece.cue(share), 0.5 * 30 / 66., 1e-5);
  EXPECT_NEAR(piece.cue(similar), 0.5 * 3 * kPower / (kPower + 0.05) / 6, 1e-6);
}

TEST(BeatEvidence, ChangesAtHalvesAreThoseOfStretchesAroundThem) {
  // 6 dB up or down at each beat. Before a middle lie 20 rows of the old level and 25 of the new
  // one, behind it 19 of the new one and 25 of the next: the attack is left out.
  Piece piece;
  piece.play([](int64_t beat) { return beat % 2 == 0 ? 10 : 16; }, kPairs);
  const double half = 6 * (25 / 45. - 19 / 44.);
  EXPECT_NEAR(piece.cue("contrast: changes at halves against beats"), (half - 6) / (half + 7),
              1e-6);
  // At each second beat, in the bass: the middles before and behind a change differ.
  piece.play([](int64_t beat) { return beat / 2 % 2 == 0 ? 10 : 16; }, kBassPairs);
  const double behind = 6 * 20 / 45., before = 6 * 25 / 44.;
  EXPECT_NEAR(piece.cue("bass: changes at halves: alternation of two"),
              (before - behind) / (before + behind + 1), 1e-6);
}

TEST(BeatEvidence, ChangesOfShapeEveryThirdBeat) {
  // 6 dB in half of the bands: 3 up or down beside the mean of all.
  Piece piece;
  piece.play([](int64_t beat) { return beat / 3 % 2 == 0 ? 10 : 16; }, kBassPairs);
  EXPECT_NEAR(piece.cue("changes of shape: alternation of three"), 3 / 4., 1e-6);
  EXPECT_NEAR(piece.cue("logarithm of the changes of shape every bar"), std::log(4), 1e-6);
  piece.play([](int64_t beat) { return beat / 3 % 2 == 0 ? 10 : 16; }, kPairs);
  EXPECT_NEAR(piece.cue("changes of shape: alternation of three"), 0, 1e-6);
}

// A stream looks at 16 s, which may hold fewer beats than are looked at together in a song.
TEST(BeatEvidence, BarsOfAFewBeatsCountToo) {
  Piece piece;
  piece.chain.beats.resize(11);  // nine changes, three of them of 3 dB
  piece.play([](int64_t beat) { return beat / 3 % 2 == 0 ? 10 : 16; }, kBassPairs);
  EXPECT_NEAR(piece.cue("logarithm of the changes of shape every bar"), std::log(4), 1e-6);
}

TEST(BeatEvidence, AlternationCountsByTheLikenessOfHalvesAndBeats) {
  const std::string name = "changes: alternation of two, times likeness of halves and beats";
  Piece piece;
  piece.play([](int64_t beat) { return beat / 2 % 2 == 0 ? 10 : 16; }, kBassPairs);
  for (int64_t beat = 0; beat < kIntervals; ++beat) {
    piece.hit_all(beat, 0, 1);
    piece.hit_all(beat, 0.5, 0.8F);
    piece.hit(kLow, beat, 0.5, 0);  // the bass does not tell
  }
  EXPECT_NEAR(piece.cue(name), 3 / 4. * 0.9 / 1.1, 1e-6);
  // Where they differ most counts, and nothing where they are empty.
  for (int64_t beat = 0; beat < kIntervals; beat += 2) piece.hit(kHigh, beat, 0.5, 0.1F);
  EXPECT_NEAR(piece.cue(name), 3 / 4. * (0.9 + 0.2) / 2 / 1.1, 1e-6);
  for (int64_t beat = 0; beat < kIntervals; beat += 2) piece.hit(kAll, beat, 0.5, 0.4F);
  EXPECT_NEAR(piece.cue(name), 3 / 4. * 0.9 / 2 / 1.1, 1e-6);
}

TEST(BeatEvidence, ChangesOverFourBeatsCountByTheEmptyQuarters) {
  // 6 dB in half of the bands at each fourth beat. The middle before such a beat sees the most of
  // it: 5 and 175 rows of one level and the other before it, 4 and 175 behind it.
  Piece piece;
  piece.play([](int64_t beat) { return beat / 4 % 2 == 0 ? 10 : 16; }, kBassPairs);
  for (int64_t beat = 0; beat < kIntervals; beat += 4) piece.hit(kAll, beat, 0.75, 1);
  const double half = 3 * (175 / 179. - 5 / 180.);
  EXPECT_NEAR(
      piece.cue("empty quarters, times contrast over four beats: changes every bar at halves"),
      0.75 * (half - 3) / (half + 3 + 1), 1e-6);
}

}  // namespace
}  // namespace vmr::audio::detail
