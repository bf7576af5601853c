#include "vmr/train/checkpoint.h"

#include <ATen/ATen.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "core/file_io.h"
#include "vmr/core/error.h"
#include "vmr/core/hash.h"
#include "vmr/store/safetensors.h"

namespace vmr::train {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

constexpr int kFormat = 1;
constexpr char kWeights[] = "weights.safetensors";
constexpr char kTrainer[] = "trainer.safetensors";
constexpr char kModel[] = "model.json";
constexpr char kPrefix[] = "step-";

std::string hash_tensors(Tensors tensors) {
  std::sort(tensors.begin(), tensors.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  Sha256 hash;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor values = tensor.detach().cpu().contiguous();
    hash.update(detail::concat(name, '\0', values.scalar_type(), '\0', values.sizes(), '\0'));
    hash.update(
        std::string_view(static_cast<const char*>(values.const_data_ptr()), values.nbytes()));
  }
  return hash.hex().substr(0, 32);
}

json read_model_file(const fs::path& folder) {
  const fs::path path = folder / kModel;
  const json document = json::parse(detail::read_file(path), nullptr, /*allow_exceptions=*/false);
  if (!document.is_object() || !document.contains("format") || !document.contains("model") ||
      !document.contains("weights_hash")) {
    throw StoreError("checkpoint: " + path.string() + " is damaged; use another checkpoint");
  }
  if (document["format"] != kFormat) {
    throw StoreError(detail::concat("checkpoint: ", path.string(), " has format ",
                                    document["format"].dump(), ", this libvmr reads ", kFormat));
  }
  return document;
}

void check_hash(const fs::path& path, const json& expected, const std::string& actual) {
  if (expected.is_string() && expected.get<std::string>() == actual) return;
  throw StoreError("checkpoint: " + path.string() + " is damaged: its hash is " + actual +
                   ", model.json says " + expected.dump() + "; use another checkpoint");
}

void write_files(const fs::path& folder, const torch::nn::Module& module, const json& model,
                 const TrainerState& state) {
  const Tensors weights = state_dict(module);
  store::write_safetensors(folder / kWeights, weights);
  json document = {{"format", kFormat}, {"weights_hash", hash_tensors(weights)}, {"model", model}};
  if (!state.empty()) {
    store::write_safetensors(folder / kTrainer, state.tensors, state.metadata);
    document["trainer_hash"] = hash_file(folder / kTrainer);
  }
  detail::write_file_atomically(folder / kModel, document.dump(2) + "\n");
  detail::sync_path(folder);
}

}  // namespace

Tensors state_dict(const torch::nn::Module& module) {
  Tensors result;
  for (const auto& item : module.named_parameters()) {
    result.emplace_back(item.key(), item.value().detach());
  }
  for (const auto& item : module.named_buffers()) {
    if (item.value().defined()) result.emplace_back(item.key(), item.value().detach());
  }
  return result;
}

std::string weights_hash(const torch::nn::Module& module) {
  return hash_tensors(state_dict(module));
}

void write_checkpoint(const fs::path& folder, const torch::nn::Module& module, const json& model,
                      const TrainerState& state) {
  const std::string suffix = std::to_string(::getpid());
  const fs::path aside = folder.string() + ".part" + suffix;
  const fs::path old = folder.string() + ".old" + suffix;
  std::error_code ignored;
  try {
    fs::remove_all(aside);
    fs::create_directories(aside);
    write_files(aside, module, model, state);
    if (fs::exists(folder)) fs::rename(folder, old);
    fs::rename(aside, folder);
    detail::sync_path(folder.has_parent_path() ? folder.parent_path() : fs::path("."));
    fs::remove_all(old, ignored);
  } catch (const fs::filesystem_error& error) {
    fs::remove_all(aside, ignored);
    throw StoreError(std::string("checkpoint: ") + error.what());
  } catch (...) {
    fs::remove_all(aside, ignored);
    throw;
  }
}

json read_model_json(const fs::path& folder) { return read_model_file(folder)["model"]; }

void load_state_dict(const Tensors& tensors, torch::nn::Module& module, const std::string& source) {
  std::map<std::string, at::Tensor> given(tensors.begin(), tensors.end());
  std::string missing, wrong, unexpected;
  const Tensors targets = state_dict(module);
  std::set<std::string> known;
  for (const auto& [name, target] : targets) {
    known.insert(name);
    const auto found = given.find(name);
    if (found == given.end()) {
      missing += " " + name;
    } else if (found->second.sizes() != target.sizes()) {
      wrong +=
          detail::concat(" ", name, " ", found->second.sizes(), " instead of ", target.sizes());
    }
  }
  for (const auto& [name, tensor] : given) {
    if (known.count(name) == 0) unexpected += " " + name;
  }
  if (!missing.empty() || !wrong.empty() || !unexpected.empty()) {
    std::string text = "load_state_dict: " + source + " does not fit the module.";
    if (!missing.empty()) text += " Missing:" + missing + ".";
    if (!unexpected.empty()) text += " Unexpected:" + unexpected + ".";
    if (!wrong.empty()) text += " Wrong shape:" + wrong + ".";
    throw InvalidArgument(text);
  }
  const at::NoGradGuard no_grad;
  for (const auto& [name, target] : targets) target.copy_(given.at(name));
}

void load_weights(const fs::path& folder, torch::nn::Module& module) {
  const json document = read_model_file(folder);
  const fs::path path = folder / kWeights;
  const auto file = store::read_safetensors(path);
  check_hash(path, document["weights_hash"], hash_tensors(file.tensors));
  load_state_dict(file.tensors, module, path.string());
}

TrainerState read_trainer_state(const fs::path& folder) {
  const json document = read_model_file(folder);
  const fs::path path = folder / kTrainer;
  check_hash(path, document.value("trainer_hash", json()), hash_file(path));
  auto file = store::read_safetensors(path);
  return {std::move(file.tensors), std::move(file.metadata)};
}

std::vector<fs::path> list_checkpoints(const fs::path& run_folder) {
  std::vector<fs::path> result;
  const fs::path folder = run_folder / "checkpoints";
  if (!fs::is_directory(folder)) return result;
  const size_t prefix = sizeof(kPrefix) - 1;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool digits = name.size() > prefix && name.compare(0, prefix, kPrefix) == 0 &&
                        name.find_first_not_of("0123456789", prefix) == std::string::npos;
    if (digits && entry.is_directory()) result.push_back(entry.path());
  }
  // Numbers beyond eight digits are longer, not smaller.
  std::sort(result.begin(), result.end(), [](const fs::path& a, const fs::path& b) {
    const std::string x = a.filename().string(), y = b.filename().string();
    return x.size() != y.size() ? x.size() < y.size() : x < y;
  });
  return result;
}

fs::path find_best_checkpoint(const fs::path& run_folder) {
  const auto checkpoints = list_checkpoints(run_folder);
  if (checkpoints.empty()) {
    throw StoreError("find_best_checkpoint: " + run_folder.string() +
                     " has no checkpoints; train first or name another run folder");
  }
  if (fs::exists(run_folder / "best.json")) {
    const json best = json::parse(detail::read_file(run_folder / "best.json"), nullptr, false);
    if (best.is_object() && best.contains("checkpoint") && best["checkpoint"].is_string()) {
      const fs::path folder = run_folder / "checkpoints" / best["checkpoint"].get<std::string>();
      if (fs::is_directory(folder)) return folder;
    }
  }
  return checkpoints.back();
}

}  // namespace vmr::train
