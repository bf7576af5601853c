// Pins that a run that was stopped, killed or lost its newest checkpoint ends with the same bits as
// one that was not, and which run folders are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <torch/torch.h>

#include <chrono>
#include <fstream>
#include <numeric>
#include <set>
#include <thread>

#include "train/toy_task.h"
#include "vmr/core/error.h"
#include "vmr/nn/linear.h"
#include "vmr/train/checkpoint.h"
#include "vmr/train/trainer.h"

extern char** environ;

namespace vmr::train {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

TrainerOptions short_run() {
  TrainerOptions options;
  options.epochs = 3;
  options.learning_rate = 0.01;
  options.schedule = {ScheduleKind::exponential, 0.9, 4};
  options.seed = 5;
  return options;
}

std::string hash_without_interruption(const TrainerOptions& options) {
  const TemporaryFolder folder;
  ToyTask task;
  train(task, folder, options);
  return weights_hash(task.module());
}

// Trains until `step` steps of the run are done.
TrainSummary train_until(int64_t step, TrainingTask& task, const fs::path& folder,
                         const TrainerOptions& options) {
  std::stop_source source;
  RunControl control;
  control.stop = source.get_token();
  control.on_progress = [&](const Progress& progress) {
    if (progress.done >= step) source.request_stop();
  };
  if (step == 0) source.request_stop();
  return train(task, folder, options, control);
}

std::vector<int64_t> one_to(int64_t last, int64_t by = 1) {
  std::vector<int64_t> steps;
  for (int64_t step = by; step <= last; step += by) steps.push_back(step);
  return steps;
}

TEST(Resume, AtAnyStepEndsWithTheSameBits) {
  const auto options = short_run();
  const std::string expected = hash_without_interruption(options);
  for (int64_t step = 0; step <= 15; ++step) {
    const TemporaryFolder folder;
    ToyTask first(1), second(99);  // the second's own weights must not matter
    const auto stopped = train_until(step, first, folder, options);
    EXPECT_EQ(stopped.steps, step);
    EXPECT_EQ(stopped.finished, step == 15);
    torch::manual_seed(1234);  // nor what else draws random numbers
    torch::rand({17});
    const auto summary = train(second, folder, options);
    EXPECT_EQ(summary.resumed_step, step);
    EXPECT_TRUE(summary.finished);
    EXPECT_EQ(weights_hash(second.module()), expected) << "stopped at step " << step;
    EXPECT_EQ(logged_steps(folder, "step"), one_to(15));
    EXPECT_EQ(logged_steps(folder, "epoch"), one_to(15, 5));
  }
}

TEST(Resume, WithoutTheOptimisersStateWouldDiffer) {
  // The comparison above can fail: weights alone are not enough.
  const auto options = short_run();
  const TemporaryFolder folder, other;
  ToyTask first, second;
  train_until(7, first, folder, options);
  const auto checkpoint = list_checkpoints(folder).back();
  auto state = read_trainer_state(checkpoint);
  state.tensors.clear();
  write_checkpoint(checkpoint, first.module(), read_model_json(checkpoint), state);
  train(second, folder, options);
  EXPECT_NE(weights_hash(second.module()), hash_without_interruption(options));
}

TEST(Resume, WithOneStepAtATimeEndsWithTheSameEpochMeans) {
  const auto options = short_run();
  const TemporaryFolder whole, cut;
  const auto last_epoch = [](const fs::path& folder) {
    std::ifstream file(folder / "events.jsonl");
    nlohmann::json last;
    for (std::string line; std::getline(file, line);) {
      const auto event = nlohmann::json::parse(line);
      if (event["event"] == "epoch") last = {event["values"], event["figures"], event["step"]};
    }
    return last;
  };
  ToyTask task;
  train(task, whole, options);
  for (int64_t step = 1; step <= 15; ++step) {
    ToyTask piece;
    train_until(step, piece, cut, options);
  }
  EXPECT_EQ(last_epoch(whole), last_epoch(cut));
}

TEST(Resume, AfterMoreEpochsEqualsTheLongerRun) {
  auto options = short_run();
  const TemporaryFolder folder;
  ToyTask task;
  options.epochs = 2;
  train(task, folder, options);
  options.epochs = 4;
  EXPECT_EQ(train(task, folder, options).resumed_step, 10);
  EXPECT_EQ(weights_hash(task.module()), hash_without_interruption(options));
}

// Starts this program as `--train folder` and kills it once `lines` events are logged.
void train_and_kill(const fs::path& folder, size_t lines) {
  const std::string program = fs::read_symlink("/proc/self/exe").string(), path = folder.string();
  const char* arguments[] = {program.c_str(), "--train", path.c_str(), nullptr};
  pid_t child = 0;
  ASSERT_EQ(::posix_spawn(&child, program.c_str(), nullptr, nullptr,
                          const_cast<char* const*>(arguments), environ),
            0);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (logged_steps(folder, "step").size() < lines &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended before it was killed";
}

TEST(Resume, AfterKillsEndsWithTheSameBits) {
  const auto options = killed_run_options();
  const TemporaryFolder folder;
  train_and_kill(folder, 8);
  train_and_kill(folder, 20);
  ToyTask task(99);
  const auto summary = train(task, folder, options);
  EXPECT_GE(summary.resumed_step, 18);
  EXPECT_LT(summary.resumed_step, 40);
  EXPECT_EQ(weights_hash(task.module()), hash_without_interruption(options));
  EXPECT_EQ(logged_steps(folder, "step"), one_to(40));
  EXPECT_EQ(logged_steps(folder, "epoch"), one_to(40, 5));
}

TEST(Resume, UsesTheCheckpointBeforeADamagedOneAndSaysSo) {
  const auto options = short_run();
  const TemporaryFolder folder;
  ToyTask first, second;
  train_until(12, first, folder, options);  // checkpoints at 10 and 12
  const auto checkpoints = list_checkpoints(folder);
  ASSERT_EQ(checkpoints.size(), 2u);
  fs::resize_file(checkpoints[1] / "weights.safetensors", 100);
  std::string warnings;
  RunControl control;
  control.on_log = [&](LogLevel level, const std::string& text) {
    if (level == LogLevel::warning) warnings += text;
  };
  const auto summary = train(second, folder, options, control);
  EXPECT_EQ(summary.resumed_step, 10);
  EXPECT_THAT(warnings, HasSubstr("step-00000012/weights.safetensors"));
  EXPECT_TRUE(fs::exists(checkpoints[1].string() + ".damaged"));
  EXPECT_EQ(weights_hash(second.module()), hash_without_interruption(options));
  EXPECT_EQ(logged_steps(folder, "step"), one_to(15));
}

TEST(Resume, SaysSoWhereEveryCheckpointIsDamaged) {
  const auto options = short_run();
  const TemporaryFolder folder;
  ToyTask task;
  train(task, folder, options);
  for (const auto& checkpoint : list_checkpoints(folder)) fs::remove(checkpoint / "model.json");
  EXPECT_THROW(train(task, folder, options), StoreError);
}

TEST(RunFolder, RefusesOtherOptionsAndNamesThem) {
  auto options = short_run();
  const TemporaryFolder folder;
  ToyTask task;
  train_until(2, task, folder, options);
  options.learning_rate = 0.02;
  options.seed = 6;
  options.keep = 7;  // does not change results
  try {
    train(task, folder, options);
    FAIL();
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), HasSubstr("options/learning_rate was 0.01, now 0.02"));
    EXPECT_THAT(error.what(), HasSubstr("options/seed was 5, now 6"));
    EXPECT_THAT(error.what(), ::testing::Not(HasSubstr("keep")));
  }
}

TEST(RunFolder, RefusesAnotherTask) {
  class OtherTask : public ToyTask {
    std::string describe() const override { return R"({"kind": "toy", "width": 9})"; }
    std::string settings() const override { return R"({"rows": 33})"; }
  };
  const TemporaryFolder folder;
  ToyTask task;
  OtherTask other;
  train_until(2, task, folder, short_run());
  try {
    train(other, folder, short_run());
    FAIL();
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), HasSubstr("model/width was absent, now 9"));
    EXPECT_THAT(error.what(), HasSubstr("settings/rows was 32, now 33"));
  }
}

TEST(RunFolder, GoesOnWithTheLinearKernelItBeganWith) {
  const TemporaryFolder folder;
  ToyTask task;
  const auto run_json = [&] {
    std::ifstream file(folder.path() / "run.json");
    return nlohmann::json::parse(file);
  };
  nn::set_linear_backend(nn::LinearBackend::automatic);
  train_until(1, task, folder, short_run());
  EXPECT_EQ(run_json()["linear"], nn::name_of(nn::linear_backend()));

  auto document = run_json();
  document["linear"] = "mkl";
  std::ofstream(folder.path() / "run.json") << document;
  nn::set_linear_backend(nn::LinearBackend::onednn);
  std::set<nn::LinearBackend> during;
  std::string warnings;
  RunControl control;
  control.on_progress = [&](const Progress&) { during.insert(nn::linear_backend()); };
  control.on_log = [&](LogLevel level, const std::string& text) {
    if (level == LogLevel::warning) warnings += text;
  };
  train(task, folder, short_run(), control);
  EXPECT_EQ(during, std::set{nn::LinearBackend::mkl});
  EXPECT_EQ(nn::linear_backend(), nn::LinearBackend::onednn);  // the process's own again
  EXPECT_EQ(warnings, "");

  document["linear"] = "another";
  std::ofstream(folder.path() / "run.json") << document;
  train(task, folder, short_run(), control);
  EXPECT_THAT(warnings, HasSubstr("began with linear layers by another and goes on with onednn"));
  nn::set_linear_backend(nn::LinearBackend::automatic);
}

TEST(RunFolder, IsLockedWhileARunUsesIt) {
  const TemporaryFolder folder;
  ToyTask task, second;
  std::string message;
  task.before_step = [&](int64_t) {
    try {
      train(second, folder, short_run());
    } catch (const StoreError& error) {
      message = error.what();
    }
  };
  train_until(1, task, folder, short_run());
  EXPECT_THAT(message, HasSubstr("another process trains in"));
  EXPECT_EQ(train(second, folder, short_run()).resumed_step, 1);
}

}  // namespace
}  // namespace vmr::train
