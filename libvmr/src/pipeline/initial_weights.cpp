#include "pipeline/initial_weights.h"

#include <optional>

#include "pipeline/run_inputs.h"
#include "vmr/core/error.h"
#include "vmr/train/checkpoint.h"
#include "vmr/train/conformer_task.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What a run that has checkpoints was begun with; nothing where it has none.
std::optional<json> resumed(const fs::path& run, const fs::path& new_run) {
  VMR_CHECK(run.empty() || fs::weakly_canonical(run) != fs::weakly_canonical(new_run), "--from ",
            run.string(), " is the folder of the new run; a run that was cut resumes without it");
  if (train::list_checkpoints(new_run).empty()) {
    if (run.empty()) return json();
    return std::nullopt;
  }
  const auto about = read_about(new_run);
  VMR_CHECK(run.empty() || about.contains("from"), new_run.string(),
            " was begun without --from; take another folder for a run that begins with ",
            run.string());
  return about.value("from", json());
}

fs::path checkpoint_of(const fs::path& run, const std::string& kind) {
  const auto found = read_about(run).value("run", "?");
  if (found != kind) {
    throw StoreError(run.string() + " is not a run of `vmr " + kind + "` but of `vmr " + found +
                     "`");
  }
  return train::find_best_checkpoint(run);
}

json begun_with(const fs::path& run, const std::string& hash, const RunControl& control) {
  control.log(LogLevel::info, "begins with the weights of " + run.string() + " (" + hash + ")");
  return {{"weights_hash", hash}};
}

}  // namespace

json begin_with(const fs::path& run, const fs::path& new_run, model::MatchingModel& model,
                const RunControl& control) {
  if (const auto begun = resumed(run, new_run)) return *begun;
  train::load_weights(checkpoint_of(run, "train"), model);
  return begun_with(run, train::weights_hash(model), control);
}

json begin_with(const fs::path& run, const fs::path& new_run, nn::Conformer& net,
                const RunControl& control) {
  if (const auto begun = resumed(run, new_run)) return *begun;
  const auto checkpoint = checkpoint_of(run, "pretrain");
  nn::Conformer source(train::conformer_options(train::read_model_json(checkpoint).at("options"),
                                                (checkpoint / "model.json").string()));
  train::load_weights(checkpoint, *source);
  auto weights = train::state_dict(*source);
  if (source->classification->weight.size(0) != net->classification->weight.size(0)) {
    control.log(LogLevel::info,
                detail::concat("the classifier of ", source->classification->weight.size(0),
                               " classes in ", run.string(), " is left out: the store has ",
                               net->classification->weight.size(0)));
    for (auto& [name, tensor] : weights) {
      if (name == "classification.weight") tensor = net->classification->weight;
    }
  }
  train::load_state_dict(weights, *net, run.string());
  return begun_with(run, train::weights_hash(*source), control);
}

}  // namespace vmr::pipeline
