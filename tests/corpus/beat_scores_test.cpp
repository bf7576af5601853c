// Pins refused and invented time, Wilson's interval and the calibration error to cases by hand.
#include "support/corpus/beat_scores.h"

#include <gtest/gtest.h>

namespace vmr::corpus {
namespace {

std::vector<double> beats(double begin, double end, double step) {
  std::vector<double> list;
  for (int i = 0; begin + i * step < end; ++i) list.push_back(begin + i * step);
  return list;
}

TEST(RefusedShare, CountsIntervalsWithoutABeatNearby) {
  const auto truth = beats(0, 20.25, 0.5);  // 40 intervals
  EXPECT_EQ(refused_share(truth, truth), 0);
  EXPECT_EQ(refused_share(truth, {}), 1);
  // Half, a third and off-beats are found beats.
  EXPECT_EQ(refused_share(truth, beats(0, 20.25, 1)), 0);
  EXPECT_EQ(refused_share(truth, beats(1, 20.25, 1.5)), 0);
  EXPECT_EQ(refused_share(truth, beats(0.25, 20.25, 0.5)), 0);
  // Up to 10 s: the interval that begins at 10 has a found neighbour, those from 10.5 on have none:
  // 19 of 40.
  EXPECT_DOUBLE_EQ(refused_share(truth, beats(0, 10, 0.5)), 19.0 / 40);
  EXPECT_EQ(refused_share(beats(0, 0.4, 0.5), {}), 0);
}

TEST(CoveredShare, IsTheTimeWithinHalfASecond) {
  EXPECT_EQ(covered_share({}, 10), 0);
  EXPECT_DOUBLE_EQ(covered_share(std::vector{5.0}, 10), 0.1);
  EXPECT_DOUBLE_EQ(covered_share(std::vector{5.0, 5.25}, 10), 0.125);
  EXPECT_DOUBLE_EQ(covered_share(std::vector{0.0, 10.0}, 10), 0.1);
  EXPECT_DOUBLE_EQ(covered_share(beats(0, 10.5, 0.5), 10), 1);
}

TEST(Wilson, IsTheIntervalOfTextbooks) {
  EXPECT_NEAR(wilson(0, 10).high, 0.2775, 1e-4);
  EXPECT_EQ(wilson(0, 10).low, 0);
  EXPECT_NEAR(wilson(81, 263).low, 0.2553, 1e-4);  // Newcombe 1998, his first example
  EXPECT_NEAR(wilson(81, 263).high, 0.3662, 1e-4);
}

TEST(Reliability, IsTheMeanDistanceOfTheBins) {
  // Two at 0.95, one of them right; two at 0.3, none right: (2 * 0.45 + 2 * 0.3) / 4.
  const std::vector<Trust> pairs{{0.95, true}, {0.95, false}, {0.3, false}, {0.3, false}};
  const auto result = reliability(pairs);
  EXPECT_NEAR(result.error, 0.375, 1e-12);
  EXPECT_NEAR(result.brier, (0.0025 + 0.9025 + 0.09 + 0.09) / 4, 1e-12);
  EXPECT_EQ(result.bins[9].count, 2);
  EXPECT_DOUBLE_EQ(result.bins[9].right, 0.5);
  EXPECT_EQ(reliability(std::vector<Trust>{{1, true}, {0, false}}).error, 0);
  EXPECT_EQ(reliability({}).error, 0);
}

TEST(Reliability, OfManyPairsByChanceIsSmall) {
  std::vector<Trust> pairs;
  for (int i = 0; i < 4000; ++i)
    pairs.push_back({0.05 + 0.1 * (i % 10), i / 10 % 20 < 1 + 2 * (i % 10)});
  const auto result = reliability(pairs);  // right in 1, 3, ... 19 of 20
  EXPECT_NEAR(result.error, 0, 1e-9);
  EXPECT_GT(result.error_by_chance, 0.005);
  EXPECT_LT(result.error_by_chance, 0.03);
}

}  // namespace
}  // namespace vmr::corpus
