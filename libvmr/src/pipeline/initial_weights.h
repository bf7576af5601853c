// Fine-tuning: a run that begins with the weights of another.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "vmr/core/run_control.h"
#include "vmr/model/matching_model.h"
#include "vmr/nn/conformer.h"

namespace vmr::pipeline {

// Both copy the weights of `run`'s best checkpoint into the network, on its device, and return
// {"weights_hash"}: what the new run's about.json says of its beginning; null without `run`. A new
// run that has checkpoints goes on from these: nothing is read of `run`, which may be gone, and
// what is returned is what its about.json says already.
// Throws: StoreError where `run` is no run of this kind or lies damaged; InvalidArgument listing
// every weight that does not fit, where `run` is the new run's own folder, or where the new run was
// begun without.
nlohmann::json begin_with(const std::filesystem::path& run, const std::filesystem::path& new_run,
                          model::MatchingModel& model, const RunControl& control);

// A classifier of another number of classes stays as it is, which the log says.
nlohmann::json begin_with(const std::filesystem::path& run, const std::filesystem::path& new_run,
                          nn::Conformer& net, const RunControl& control);

}  // namespace vmr::pipeline
