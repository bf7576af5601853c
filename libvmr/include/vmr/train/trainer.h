// The one training loop: Adam with gradient clipping by global norm over whatever a TrainingTask
// optimises, with named terms in an event log, validation, best and last checkpoints, early stop.
// A run that was stopped, killed or crashed at any moment continues from its last checkpoint to
// the same bits as a run that was never interrupted (same machine, same number of threads).
// One train() call per run folder at a time, across processes: the folder is locked.
// Not thread-safe: it reseeds torch's default generators before every step, from (seed, step).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "vmr/core/run_control.h"
#include "vmr/train/schedule.h"
#include "vmr/train/training_task.h"

namespace vmr::train {

struct TrainerOptions {
  // These change results; a run folder keeps them and refuses others (epochs may grow).
  int64_t epochs = 200;
  double learning_rate = 3e-4;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // Adam
  double weight_decay = 0;                            // added to the gradient: decay * weight
  Schedule schedule;
  double clip_norm = 3;  // largest global gradient norm; 0 = unlimited
  uint64_t seed = 0;
  int64_t validate_every_epochs = 1;  // 0 = never; the last epoch is always validated otherwise
  int64_t patience = 0;  // validations without a better figure before stopping; 0 = no early stop

  // These do not.
  int64_t checkpoint_every_epochs = 1;
  int64_t checkpoint_every_steps = 0;     // within an epoch; 0 = not by steps
  double checkpoint_every_seconds = 600;  // within an epoch; 0 = not by time
  int64_t keep = 2;                       // newest checkpoints kept, besides the best
  int64_t log_every_steps = 1;
  bool tensorboard = true;
};
void validate(const TrainerOptions& options);

struct TrainSummary {
  int64_t epochs = 0;        // finished in the whole run
  int64_t steps = 0;         // of the whole run
  int64_t resumed_step = 0;  // 0 = started new
  bool finished = false;     // all epochs done or stopped early; false: stopped by request
  bool stopped_early = false;
  std::map<std::string, double> figures;  // of the last validation
  std::optional<double> best_value;
  int64_t best_epoch = -1;
  std::filesystem::path last_checkpoint, best_checkpoint;  // best = last without validation
  double seconds = 0;                                      // of this call
};

// Trains `task` in `run_folder`, made where absent. Continues where the folder has checkpoints,
// replacing the module's weights; a damaged newest checkpoint is reported to the log and the one
// before it used. On a stop request it writes a checkpoint and returns. Layout of the folder:
//   run.json                       the options that change results, the task's description
//   checkpoints/step-00000120/     see checkpoint.h
//   best.json                      name, epoch and figure of the best checkpoint
//   events.jsonl, events.out.tfevents.*   see event_log.h
// Throws: InvalidArgument where the folder was made with other options or for another task (names
// each difference); StoreError for a folder in use or without a readable checkpoint; Error naming
// epoch, step and term where a loss or gradient is not finite.
// `files`: texts kept beside run.json under these names, written once the folder is locked and
// accepted, so that a refused call changes nothing.
TrainSummary train(TrainingTask& task, const std::filesystem::path& run_folder,
                   const TrainerOptions& options, const RunControl& control = {},
                   const std::map<std::string, std::string>& files = {});

}  // namespace vmr::train
