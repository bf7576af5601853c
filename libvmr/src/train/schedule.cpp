#include "vmr/train/schedule.h"

#include <cmath>

#include "vmr/core/error.h"

namespace vmr::train {

void validate(const Schedule& schedule) {
  if (schedule.kind != ScheduleKind::exponential) return;
  VMR_CHECK(schedule.decay > 0 && schedule.decay <= 1, "Schedule: decay must lie in (0, 1], got ",
            schedule.decay);
  VMR_CHECK(schedule.decay_steps >= 1, "Schedule: decay_steps must be at least 1, got ",
            schedule.decay_steps);
}

double learning_rate(const Schedule& schedule, double rate, int64_t step, int64_t epoch) {
  switch (schedule.kind) {
    case ScheduleKind::constant:
      return rate;
    case ScheduleKind::exponential:
      return rate * std::pow(schedule.decay, static_cast<double>(step / schedule.decay_steps));
    case ScheduleKind::inverse_epoch:
      return rate / static_cast<double>(epoch + 1);
  }
  VMR_ASSERT(false, "schedule kind ", static_cast<int>(schedule.kind));
  return rate;
}

}  // namespace vmr::train
