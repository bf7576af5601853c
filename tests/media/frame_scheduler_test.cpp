// Pins which frame serves which time, on irregular frame times worked by hand.
#include "media/frame_scheduler.h"

#include <gtest/gtest.h>

#include "vmr/core/error.h"

namespace vmr::media::detail {
namespace {

// Frames at 0, 0.1, 0.5, 0.55, 1.2; the film ends at 1.3.
const std::vector<double> kTimes{0, 0.1, 0.5, 0.55, 1.2, 1.3};

// For each slot of job 0 the index of its frame.
std::vector<int> choose(FrameJob job, const std::vector<double>& times = kTimes) {
  FrameScheduler scheduler({job}, 1e-4);
  std::vector<int> chosen;
  for (size_t i = 0; i + 1 < times.size(); ++i) {
    for (const Take& take : scheduler.offer(times[i], times[i + 1], i + 2 == times.size())) {
      chosen.resize(std::max(chosen.size(), size_t(take.slot) + 1), -1);
      chosen[size_t(take.slot)] = static_cast<int>(i);
    }
  }
  EXPECT_TRUE(job.fps > 0 || job.times_seconds.empty() || scheduler.finished());
  return chosen;
}

using Chosen = std::vector<int>;
constexpr auto kShown = FrameSampling::shown_at;
constexpr auto kNearest = FrameSampling::nearest;
constexpr auto kAfter = FrameSampling::first_at_or_after;

TEST(FrameScheduler, ShownAtTakesTheLastFrameThatHasBegun) {
  EXPECT_EQ(choose({.times_seconds = {0, 0.09, 0.1, 0.49, 0.5, 1.19, 1.2}, .sampling = kShown}),
            (Chosen{0, 0, 1, 1, 2, 3, 4}));
}

TEST(FrameScheduler, NearestTakesTheEarlierOfTwoEquallyNear) {
  EXPECT_EQ(choose({.times_seconds = {0.04, 0.05, 0.06, 0.3, 0.31, 0.87, 0.88, 1.25},
                    .sampling = kNearest}),
            (Chosen{0, 0, 1, 1, 2, 3, 4, 4}));
}

TEST(FrameScheduler, FirstAtOrAfterLooksForward) {
  EXPECT_EQ(choose({.times_seconds = {0, 0.01, 0.1, 0.11, 0.51, 0.56, 1.2}, .sampling = kAfter}),
            (Chosen{0, 1, 1, 2, 3, 4, 4}));
}

TEST(FrameScheduler, TimesOutsideOfTheFilmGetItsFirstOrLastFrame) {
  for (const auto sampling : {kShown, kNearest, kAfter}) {
    EXPECT_EQ(choose({.times_seconds = {-5, 1.29, 1.3, 99}, .sampling = sampling}),
              (Chosen{0, 4, 4, 4}));
  }
}

TEST(FrameScheduler, AListKeepsItsOrderAndRepeats) {
  EXPECT_EQ(choose({.times_seconds = {1.2, 0, 0.5, 0, 0.5}}), (Chosen{4, 0, 2, 0, 2}));
}

TEST(FrameScheduler, AGridEndsWhereTheFilmEnds) {
  // 0, 0.2, ..., 1.2: the next, 1.4, is past 1.3.
  EXPECT_EQ(choose({.fps = 5, .sampling = kShown}), (Chosen{0, 1, 1, 3, 3, 3, 4}));
  EXPECT_EQ(choose({.fps = 5, .sampling = kNearest}), (Chosen{0, 1, 2, 3, 3, 4, 4}));
  EXPECT_EQ(choose({.fps = 5, .sampling = kAfter}), (Chosen{0, 2, 2, 4, 4, 4, 4}));
  // A film of exactly one second has no frame at t = 1.
  EXPECT_EQ(choose({.fps = 2}, {0, 0.25, 0.5, 0.75, 1.0}), (Chosen{0, 2}));
  // Looking forward ends at the last frame, not at the film's end.
  EXPECT_EQ(choose({.fps = 10, .sampling = kAfter}, {0, 0.45, 1.0}).size(), 5u);
}

TEST(FrameScheduler, ContainerRoundingDoesNotMoveAGrid) {
  // 30 frames a second in whole milliseconds, as Matroska stores them.
  std::vector<double> times;
  for (int i = 0; i <= 30; ++i) times.push_back(std::round(i * 1000.0 / 30) / 1000);
  FrameScheduler scheduler({{.fps = 30}}, 0.5e-3);
  for (size_t i = 0; i < 30; ++i) {
    const auto takes = scheduler.offer(times[i], times[i + 1], i == 29);
    ASSERT_EQ(takes.size(), 1u) << "frame " << i;
    EXPECT_EQ(takes[0].slot, static_cast<int64_t>(i));
  }
}

TEST(FrameScheduler, LimitsCutTheRequests) {
  EXPECT_EQ(choose({.fps = 5, .max_frames = 3}), (Chosen{0, 1, 1}));
  EXPECT_EQ(choose({.fps = 5, .max_seconds = 0.6}), (Chosen{0, 1, 1}));
  EXPECT_EQ(choose({.times_seconds = {1.2, 0.5, 0}, .max_frames = 2}), (Chosen{4, 2}));
  EXPECT_EQ(choose({.times_seconds = {1.2, 0.5, 0}, .max_seconds = 1}), (Chosen{2, 0}));
  EXPECT_EQ(choose({.max_seconds = 0.5}), (Chosen{0, 1}));
  EXPECT_EQ(choose({}), (Chosen{0, 1, 2, 3, 4}));
}

TEST(FrameScheduler, JobsAreServedIndependently) {
  FrameScheduler scheduler({{.fps = 1}, {.times_seconds = {0.6}}}, 1e-4);
  EXPECT_EQ(scheduler.offer(0, 0.5, false).size(), 1u);
  EXPECT_FALSE(scheduler.finished());
  const auto takes = scheduler.offer(0.5, 0.7, false);
  ASSERT_EQ(takes.size(), 1u);
  EXPECT_EQ(takes[0].job, 1);
  EXPECT_DOUBLE_EQ(takes[0].seconds, 0.6);
}

TEST(FrameJob, RefusesWhatMakesNoSense) {
  EXPECT_THROW(validate(FrameJob{.fps = -1}), InvalidArgument);
  EXPECT_THROW(validate(FrameJob{.fps = 1, .times_seconds = {0}}), InvalidArgument);
  EXPECT_THROW(validate(FrameJob{.times_seconds = {0, NAN}}), InvalidArgument);
  EXPECT_THROW(validate(FrameJob{.fps = 1, .width = 10}), InvalidArgument);
  EXPECT_NO_THROW(validate(FrameJob{.fps = 1, .width = 10, .height = 20}));
}

}  // namespace
}  // namespace vmr::media::detail
