// Pins which beats begin bars: what is heard nearby, counted through, and section changes.
#include "retrieval/bar_strength.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "vmr/core/error.h"

namespace vmr::retrieval::detail {
namespace {

// Beats every half second, a down-beat every `bar`-th from beat `first` on.
TrackRhythm track_of(int beats, int bar, int first) {
  TrackRhythm track{.duration_seconds = 0.5 * beats};
  for (int i = 0; i < beats; ++i) track.beats_seconds.push_back(0.5 * i);
  for (int i = first; i < beats; i += bar) track.down_beats_seconds.push_back(0.5 * i);
  return track;
}

TEST(BarStrengths, OfSteadyBarsLeaveTheDoubtAlone) {
  // (1 + 0.05) / (1 + 4 * 0.05) for the phase that is heard, 0.05 / 1.2 for each other.
  const auto strengths = bar_strengths(track_of(80, 4, 1));
  ASSERT_EQ(strengths.size(), 80u);
  for (size_t i = 0; i < 80; ++i) {
    EXPECT_NEAR(strengths[i], i % 4 == 1 ? 1.05 / 1.2 : 0.05 / 1.2, 1e-9) << i;
  }
}

TEST(BarStrengths, AShortSlipCountsLittle) {
  // Four bars in the middle are heard two beats late.
  auto track = track_of(240, 4, 0);
  for (double& seconds : track.down_beats_seconds) {
    if (seconds >= 60 && seconds < 68) seconds += 1;
  }
  const auto strengths = bar_strengths(track);
  EXPECT_GT(strengths[124], 0.6);
  EXPECT_LT(strengths[126], 0.35);
  EXPECT_GT(strengths[20], 0.83);
}

TEST(BarStrengths, SectionChangesTellHalfBarsFromBars) {
  auto track = track_of(160, 2, 0);
  const auto plain = bar_strengths(track);
  EXPECT_NEAR(plain[80], 0.55 / 1.2, 0.01);  // either of the two
  EXPECT_NEAR(plain[82], 0.55 / 1.2, 0.01);
  // One change on beat 82, whose place in a bar of four is the third: e times as likely there.
  track.sections = {{41, 0.3}};
  const auto told = bar_strengths(track);
  EXPECT_NEAR(told[82] / told[80], std::exp(1) * std::exp(0), 0.05 * std::exp(1));
  EXPECT_GT(told[82], 0.6);
}

TEST(BarStrengths, AreNoneWithoutBars) {
  EXPECT_TRUE(bar_strengths(track_of(80, 4, 79)).empty());
  EXPECT_TRUE(bar_strengths({.duration_seconds = 9}).empty());
  EXPECT_TRUE(bar_strengths(track_of(80, 1, 0)).empty());  // each beat a down-beat
}

TEST(BarStrengths, TakeNothingBeyondSixteenBeatsForABar) {
  EXPECT_EQ(bar_strengths(track_of(160, 16, 0)).size(), 160u);
  EXPECT_TRUE(bar_strengths(track_of(160, 17, 0)).empty());
  // A share for each of 20,000 phases of each beat would be gigabytes.
  EXPECT_TRUE(bar_strengths(track_of(40000, 20000, 0)).empty());
  // Five pauses of 40 beats, and two bars of four.
  auto track = track_of(240, 40, 0);
  track.down_beats_seconds.insert(track.down_beats_seconds.begin() + 1, {2, 4});
  const auto strengths = bar_strengths(track);
  ASSERT_EQ(strengths.size(), 240u);
  EXPECT_NEAR(strengths[8], 1.05 / 1.2, 1e-9);  // all down-beats fall on this phase of four
}

TEST(BarStrengths, RefuseTimesThatFall) {
  auto track = track_of(80, 4, 0);
  std::swap(track.down_beats_seconds[3], track.down_beats_seconds[4]);
  EXPECT_THROW(bar_strengths(track), Error);
  track = track_of(80, 4, 0);
  std::swap(track.beats_seconds[3], track.beats_seconds[4]);
  EXPECT_THROW(bar_strengths(track), Error);
}

}  // namespace
}  // namespace vmr::retrieval::detail
