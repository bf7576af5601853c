// A checkpoint: a folder with a module's weights, what is needed to rebuild the module and, while
// training, the optimiser's state and position. Written aside, synced and renamed, so a folder with
// a checkpoint's name is whole.
//   weights.safetensors   parameters and buffers under their names in the module
//   model.json            {"format": 1, "weights_hash": .., "trainer_hash": .., "model": {..}}
//   trainer.safetensors   optimiser state by parameter name; position as metadata (absent in
//                         checkpoints that are not for resuming)
// Thread-safe: no state.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace vmr::train {

// Optimiser and position of a run: opaque to all but the trainer.
struct TrainerState {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  std::map<std::string, std::string> metadata;

  bool empty() const { return tensors.empty() && metadata.empty(); }
};

// Parameters and buffers by name, as they lie in the module (no copy).
std::vector<std::pair<std::string, at::Tensor>> state_dict(const torch::nn::Module& module);

// 32 hexadecimal digits over names, types, shapes and bytes of all parameters and buffers: the
// provenance of whatever the module computes.
std::string weights_hash(const torch::nn::Module& module);

// `model` describes how to rebuild the module: {"kind": "ut_cmvmr", ...}. Replaces a checkpoint of
// the same name. Throws: StoreError, leaving nothing at `folder` or the old checkpoint.
void write_checkpoint(const std::filesystem::path& folder, const torch::nn::Module& module,
                      const nlohmann::json& model, const TrainerState& state = {});

// The "model" object of model.json. Throws: StoreError where missing, damaged or of a newer format.
nlohmann::json read_model_json(const std::filesystem::path& folder);

// Copies tensors into the parameters and buffers of the same names; `source` names them in errors.
// Throws: InvalidArgument listing every missing, unexpected and wrongly shaped key; the module is
// unchanged then.
void load_state_dict(const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                     torch::nn::Module& module, const std::string& source);

// Copies the checkpoint's weights into the module, on whichever device that is.
// Throws: InvalidArgument as above; StoreError naming the file where it is missing, truncated or
// does not have the hash in model.json. The module is unchanged then.
void load_weights(const std::filesystem::path& folder, torch::nn::Module& module);

// Throws: StoreError as above.
TrainerState read_trainer_state(const std::filesystem::path& folder);

// Checkpoints of a run folder, oldest first.
std::vector<std::filesystem::path> list_checkpoints(const std::filesystem::path& run_folder);
// The best checkpoint of a run by its validation figure, the newest where nothing was validated.
// Throws: StoreError for a folder without checkpoints.
std::filesystem::path find_best_checkpoint(const std::filesystem::path& run_folder);

}  // namespace vmr::train
