// Pins the learning rate at the steps where it changes.
#include "vmr/train/schedule.h"

#include <gtest/gtest.h>

#include "vmr/core/error.h"

namespace vmr::train {
namespace {

TEST(LearningRate, StaysConstant) { EXPECT_EQ(learning_rate({}, 0.5, 12345, 99), 0.5); }

TEST(LearningRate, DecaysEverySoManySteps) {
  const Schedule schedule{ScheduleKind::exponential, 0.96, 1000};
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 1, 0, 7), 1);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 1, 999, 7), 1);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 1, 1000, 7), 0.96);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 3e-4, 2500, 7), 3e-4 * 0.9216);
}

TEST(LearningRate, DividesByTheEpoch) {
  const Schedule schedule{ScheduleKind::inverse_epoch};
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 1e-3, 5000, 0), 1e-3);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 1e-3, 0, 3), 2.5e-4);
}

TEST(Schedule, RefusesDecaysOutOfRange) {
  EXPECT_THROW(validate(Schedule{ScheduleKind::exponential, 1.1, 10}), InvalidArgument);
  EXPECT_THROW(validate(Schedule{ScheduleKind::exponential, 0.9, 0}), InvalidArgument);
  EXPECT_NO_THROW(validate(Schedule{ScheduleKind::constant, 1.1, 0}));
}

}  // namespace
}  // namespace vmr::train
