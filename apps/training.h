// What pretrain and train share: their options, and what they print when they end.
#pragma once

#include <string>

#include "shared.h"
#include "vmr/pipeline/runs.h"

namespace vmr::apps {

struct TrainingOptions {
  Common common;
  std::string recipe, store, out, from;

  pipeline::TrainOptions run() const { return {{common.seed, common.device}, from}; }
};

// `store`: what the feature store has to hold.
void add_training(CLI::App& app, TrainingOptions& options, const char* store);

// Returns the exit code.
int report_training(const train::TrainSummary& summary, bool json);

}  // namespace vmr::apps
