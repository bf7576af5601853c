// What pretrain and train print when they end.
#pragma once

#include "vmr/train/trainer.h"

namespace vmr::apps {

// Returns the exit code.
int report_training(const train::TrainSummary& summary, bool json);

}  // namespace vmr::apps
