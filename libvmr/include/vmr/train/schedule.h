// Learning rate as a function of the step or epoch. Thread-safe: no state.
#pragma once

#include <cstdint>

namespace vmr::train {

enum class ScheduleKind {
  constant,       // rate
  exponential,    // rate * decay^floor(step / decay_steps)
  inverse_epoch,  // rate / (epoch + 1)
};

struct Schedule {
  ScheduleKind kind = ScheduleKind::constant;
  double decay = 0.96;         // of exponential
  int64_t decay_steps = 1000;  // of exponential
};
void validate(const Schedule& schedule);

// `step` counts optimiser steps of the whole run from 0, `epoch` from 0.
// exponential, rate 1: 1 at steps 0..999, 0.96 at 1000..1999.
double learning_rate(const Schedule& schedule, double rate, int64_t step, int64_t epoch);

}  // namespace vmr::train
