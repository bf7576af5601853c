#include "train/run_folder.h"

#include <ATen/Parallel.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <vector>

#include "core/file_io.h"
#include "vmr/core/error.h"
#include "vmr/nn/linear.h"
#include "vmr/train/checkpoint.h"

namespace vmr::train {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const char* name_of(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::constant:
      return "constant";
    case ScheduleKind::exponential:
      return "exponential";
    case ScheduleKind::inverse_epoch:
      return "inverse_epoch";
  }
  return "";
}

json options_that_change_results(const TrainerOptions& options) {
  return {{"learning_rate", options.learning_rate},
          {"beta1", options.beta1},
          {"beta2", options.beta2},
          {"epsilon", options.epsilon},
          {"weight_decay", options.weight_decay},
          {"schedule", name_of(options.schedule.kind)},
          {"decay", options.schedule.decay},
          {"decay_steps", options.schedule.decay_steps},
          {"clip_norm", options.clip_norm},
          {"seed", options.seed},
          {"validate_every_epochs", options.validate_every_epochs},
          {"patience", options.patience}};
}

// "; /options/seed was 1, now 2" for each value that is not the same.
std::string differences(const json& before, const json& now) {
  const json a = before.flatten(), b = now.flatten();
  std::set<std::string> keys;
  for (const auto& item : a.items()) keys.insert(item.key());
  for (const auto& item : b.items()) keys.insert(item.key());
  std::string text;
  for (const auto& key : keys) {
    const std::string x = a.contains(key) ? a[key].dump() : "absent";
    const std::string y = b.contains(key) ? b[key].dump() : "absent";
    if (x != y) text += "; " + key.substr(1) + " was " + x + ", now " + y;
  }
  return text;
}

int lock_folder(const fs::path& folder) {
  const fs::path path = folder / "lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file >= 0 && ::flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  const int reason = errno;
  if (file >= 0) ::close(file);
  if (reason == EWOULDBLOCK) {
    throw StoreError("train: another process trains in " + folder.string() +
                     "; wait for it or use another folder");
  }
  throw StoreError("train: cannot lock " + path.string() + ": " + std::strerror(reason));
}

// What a killed writer left beside the checkpoints.
void remove_leftovers(const fs::path& folder) {
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension.rfind(".part", 0) == 0 || extension.rfind(".old", 0) == 0) {
      left.push_back(entry.path());
    }
  }
  std::error_code ignored;
  for (const auto& path : left) fs::remove_all(path, ignored);
}

// Kernels round differently: a run goes on with the one it began with, whatever a new measurement
// would choose. Returns what the process had, where that was another.
std::optional<nn::LinearBackend> keep_linear_backend(const std::string& began,
                                                     const RunControl& control) {
  const auto now = nn::linear_backend();
  if (nn::name_of(now) == began) return std::nullopt;
  try {
    for (const auto backend : {nn::LinearBackend::mkl, nn::LinearBackend::onednn}) {
      if (nn::name_of(backend) != began) continue;
      nn::set_linear_backend(backend);
      control.log(LogLevel::info, "train: linear layers by " + began + ", as the run began");
      return now;
    }
  } catch (const InvalidArgument&) {
    // Said below.
  }
  control.log(LogLevel::warning, detail::concat("train: the run began with linear layers by ",
                                                began, " and goes on with ", nn::name_of(now),
                                                "; weights may differ in rounding"));
  return std::nullopt;
}

}  // namespace

RunFolder::RunFolder(fs::path folder, const TrainerOptions& options, TrainingTask& task,
                     const RunControl& control)
    : folder_(std::move(folder)), model_(json::parse(task.describe())) {
  std::error_code error;
  fs::create_directories(folder_ / "checkpoints", error);
  if (error) {
    throw StoreError("train: cannot make " + folder_.string() + ": " + error.message());
  }
  lock_ = lock_folder(folder_);
  try {
    remove_leftovers(folder_ / "checkpoints");
    const json now = {{"options", options_that_change_results(options)},
                      {"model", model_},
                      {"settings", json::parse(task.settings())},
                      {"steps_per_epoch", task.steps_per_epoch()}};
    const fs::path path = folder_ / "run.json";
    if (!fs::exists(path)) {
      json document = now;
      document["threads"] = at::get_num_threads();
      document["linear"] = nn::name_of(nn::linear_backend());
      detail::write_file_atomically(path, document.dump(2) + "\n");
      return;
    }
    json before = json::parse(detail::read_file(path), nullptr, /*allow_exceptions=*/false);
    if (!before.is_object()) throw StoreError("train: " + path.string() + " is damaged");
    const int threads = before.value("threads", at::get_num_threads());
    // Earlier versions knew one kernel and wrote nothing.
    const std::string linear = before.value("linear", "mkl");
    before.erase("threads");
    before.erase("linear");
    const std::string text = differences(before, now);
    VMR_CHECK(text.empty(), "train: run folder ", folder_.string(), " was made differently", text,
              "; use another folder or the same options");
    if (threads != at::get_num_threads()) {
      control.log(
          LogLevel::warning,
          detail::concat("train: the run began with ", threads, " threads and goes on with ",
                         at::get_num_threads(), "; weights may differ in rounding"));
    }
    backend_before_ = keep_linear_backend(linear, control);
  } catch (...) {
    ::close(lock_);
    throw;
  }
}

RunFolder::~RunFolder() {
  if (backend_before_) nn::set_linear_backend(*backend_before_);
  ::close(lock_);
}

std::string RunFolder::checkpoint_name(int64_t step) {
  const std::string digits = std::to_string(step);
  return "step-" + std::string(digits.size() < 8 ? 8 - digits.size() : 0, '0') + digits;
}

fs::path RunFolder::checkpoint_path(const std::string& name) const {
  return folder_ / "checkpoints" / name;
}

void RunFolder::set_aside(const fs::path& checkpoint) const {
  const fs::path to = checkpoint.string() + ".damaged";
  std::error_code error;
  fs::remove_all(to, error);
  fs::rename(checkpoint, to, error);
  if (error) throw StoreError("train: cannot rename " + checkpoint.string() + error.message());
}

void RunFolder::prune(int64_t keep, const std::string& best) const {
  const auto checkpoints = list_checkpoints(folder_);
  const auto count = static_cast<int64_t>(checkpoints.size());
  for (int64_t i = 0; i < count - keep; ++i) {
    const auto& folder = checkpoints[static_cast<size_t>(i)];
    // The metadata goes first: a folder that is half removed cannot pass for a checkpoint.
    std::error_code ignored;
    if (folder.filename() == best) continue;
    fs::remove(folder / "model.json", ignored);
    fs::remove_all(folder, ignored);
  }
}

void RunFolder::write_best(const std::string& name, int64_t epoch, const std::string& figure,
                           double value) const {
  const json document = {
      {"checkpoint", name}, {"epoch", epoch}, {"figure", figure}, {"value", value}};
  detail::write_file_atomically(folder_ / "best.json", document.dump(2) + "\n");
}

}  // namespace vmr::train
