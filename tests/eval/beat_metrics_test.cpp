// Pins the scores of beats and down-beats to mir_eval's on 42 pairs of lists, the accuracies of
// tempi to its hits of one tempo on 41 pairs, easy cases to values by hand.
#include "vmr/eval/beat_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"

namespace vmr::eval {
namespace {

using Beats = std::vector<double>;

void expect_equal(const BeatScores& scores, const nlohmann::json& golden) {
  const auto expect = [&](const char* name, double value) {
    EXPECT_NEAR(value, golden.at(name).get<double>(), 1e-9) << name;
  };
  expect("f_measure", scores.f_measure);
  expect("cemgil", scores.cemgil);
  expect("cemgil_best", scores.cemgil_best);
  expect("correct_continuous", scores.correct_continuous);
  expect("correct_total", scores.correct_total);
  expect("any_continuous", scores.any_continuous);
  expect("any_total", scores.any_total);
  expect("information_gain", scores.information_gain);
}

TEST(BeatMetrics, EqualMirEval) {
  const auto document = read_json_file(VMR_TEST_DATA "/beat_metrics.json");
  ASSERT_EQ(document.at("cases").size(), 42u);
  for (const auto& one : document.at("cases")) {
    SCOPED_TRACE(one.at("name").get<std::string>());
    const auto truth = one.at("truth").get<Beats>(), found = one.at("found").get<Beats>();
    expect_equal(score_beats(truth, found), one.at("skipped_5_s"));
    expect_equal(score_beats(truth, found, {.skip_seconds = 0}), one.at("whole"));
    EXPECT_NEAR(tempo_of(truth), one.at("true_bpm").get<double>(), 1e-9);
    EXPECT_NEAR(tempo_of(found), one.at("found_bpm").get<double>(), 1e-9);
  }
}

TEST(BeatMetrics, TempoAccuraciesEqualMirEvalsHits) {
  const auto document = read_json_file(VMR_TEST_DATA "/beat_metrics.json");
  ASSERT_EQ(document.at("tempi").size(), 41u);
  for (const auto& one : document.at("tempi")) {
    SCOPED_TRACE(one.dump());
    const auto scores =
        score_tempo(one.at("truth"), one.at("found"), one.at("tolerance").get<double>());
    EXPECT_EQ(scores.accuracy_1, one.at("accuracy_1").get<bool>());
    EXPECT_EQ(scores.accuracy_2, one.at("accuracy_2").get<bool>());
  }
}

TEST(BeatMetrics, OfEasyCasesAreThoseByHand) {
  Beats truth, off, half;
  for (int i = 0; i < 40; ++i) truth.push_back(6 + 0.5 * i);
  for (int i = 0; i < 39; ++i) off.push_back(6.25 + 0.5 * i);
  for (int i = 0; i < 40; i += 2) half.push_back(6 + 0.5 * i);
  const auto perfect = score_beats(truth, truth);
  EXPECT_EQ(perfect.f_measure, 1);
  EXPECT_EQ(perfect.correct_continuous, 1);
  EXPECT_EQ(perfect.information_gain, 1);
  const auto beside = score_beats(truth, off);
  EXPECT_EQ(beside.f_measure, 0);
  EXPECT_EQ(beside.correct_total, 0);
  EXPECT_EQ(beside.any_total, 1);
  const auto slow = score_beats(truth, half);
  EXPECT_DOUBLE_EQ(slow.f_measure, 2.0 / 3);  // precision 1, recall 1/2
  EXPECT_EQ(slow.any_continuous, 1);
}

TEST(BeatMetrics, TakeAWindowOfOnesOwn) {
  const Beats truth{6, 7, 8}, found{6.1, 7.1, 8.1};
  EXPECT_EQ(score_beats(truth, found).f_measure, 0);
  EXPECT_EQ(score_beats(truth, found, {.window_seconds = 0.11}).f_measure, 1);
}

TEST(BeatMetrics, TempoOfBeatsIsTheMedian) {
  EXPECT_EQ(tempo_of(Beats{}), 0);
  EXPECT_EQ(tempo_of(Beats{3}), 0);
  EXPECT_DOUBLE_EQ(tempo_of(Beats{1, 1.5, 2, 4}), 120);        // steps 0.5, 0.5, 2
  EXPECT_DOUBLE_EQ(tempo_of(Beats{0, 0.5, 1.5, 2.5, 3}), 80);  // 0.5, 1, 1, 0.5
}

TEST(BeatMetrics, TempoAccuracyHasFourPercentAndFiveFactors) {
  EXPECT_TRUE(score_tempo(100, 104).accuracy_1);
  EXPECT_FALSE(score_tempo(100, 104.1).accuracy_2);
  EXPECT_TRUE(score_tempo(100, 107, 0.08).accuracy_1);
  for (const double factor : {2.0, 0.5, 3.0, 1.0 / 3}) {
    const auto scores = score_tempo(100, 103.9 * factor);
    EXPECT_FALSE(scores.accuracy_1) << factor;
    EXPECT_TRUE(scores.accuracy_2) << factor;
  }
  EXPECT_FALSE(score_tempo(100, 150).accuracy_2);
  EXPECT_FALSE(score_tempo(100, 0).accuracy_2);
}

TEST(BeatMetrics, RefuseWhatIsNoListOfBeats) {
  const Beats good{6, 7}, falling{7, 6}, nan{6, std::nan("")};
  EXPECT_THROW(score_beats(good, falling), InvalidArgument);
  EXPECT_THROW(score_beats(nan, good), InvalidArgument);
  EXPECT_THROW(score_beats(good, good, {.window_seconds = 0}), InvalidArgument);
  EXPECT_THROW(score_beats(good, good, {.skip_seconds = -1}), InvalidArgument);
  EXPECT_THROW(score_tempo(0, 100), InvalidArgument);
  EXPECT_THROW(score_tempo(100, -1), InvalidArgument);
  EXPECT_THROW(score_tempo(100, 100, 1), InvalidArgument);
}

}  // namespace
}  // namespace vmr::eval
