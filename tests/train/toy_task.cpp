#include "train/toy_task.h"

#include <gtest/gtest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

namespace vmr::train {
namespace {

// 32 rows of four values each, and a linear map of them.
std::pair<torch::Tensor, torch::Tensor> examples(double phase) {
  const auto x = torch::sin(torch::arange(32 * 4, torch::kFloat) * 1.7 + phase).reshape({32, 4});
  return {x, x.matmul(torch::tensor({1.0f, -1.0f, 2.0f, 0.5f})).unsqueeze(1)};
}

}  // namespace

ToyTask::ToyTask(uint64_t weight_seed, std::chrono::milliseconds pause) : pause_(pause) {
  torch::manual_seed(weight_seed);
  net_ = torch::nn::Sequential(torch::nn::Linear(4, 8), torch::nn::BatchNorm1d(8),
                               torch::nn::ReLU(), torch::nn::Dropout(0.3), torch::nn::Linear(8, 1));
}

void ToyTask::begin_epoch(int64_t epoch, uint64_t seed) {
  epoch_ = epoch;
  seed_ = seed;
  ++epochs_begun;
}

loss::Terms ToyTask::step(int64_t step) {
  if (before_step) before_step(step);
  if (pause_.count() > 0) std::this_thread::sleep_for(pause_);
  const auto [x, y] =
      examples(static_cast<double>(seed_) + 0.37 * static_cast<double>(epoch_ * kSteps + step));
  loss::Terms terms;
  terms.add("square", 1.0, (net_->forward(x) - y).square().mean());
  terms.add("size", 0.01, net_->parameters().front().square().sum());
  terms.monitors.emplace_back("half", 0.5);
  return terms;
}

std::map<std::string, double> ToyTask::validate() {
  if (figure_instead) return {{"loss", figure_instead(epoch_)}};
  const torch::NoGradGuard no_grad;
  net_->eval();
  const auto [x, y] = examples(1000.5);
  const auto loss = (net_->forward(x) - y).square().mean().item<double>();
  net_->train();
  return {{"loss", loss}};
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "vmr_train_XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp: " + name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TrainerOptions killed_run_options() {
  TrainerOptions options;
  options.epochs = 8;
  options.learning_rate = 0.01;
  options.schedule = {ScheduleKind::exponential, 0.9, 7};
  options.checkpoint_every_steps = 3;
  options.seed = 11;
  return options;
}

std::vector<int64_t> logged_steps(const std::filesystem::path& run_folder,
                                  const std::string& kind) {
  std::ifstream file(run_folder / "events.jsonl");
  std::vector<int64_t> steps;
  for (std::string line; std::getline(file, line);) {
    const auto event = nlohmann::json::parse(line, nullptr, false);
    if (event.is_object() && event["event"] == kind) steps.push_back(event["step"]);
  }
  return steps;
}

}  // namespace vmr::train

// With --train FOLDER the program is the child of the kill test.
int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--train") == 0) {
    vmr::train::ToyTask task(1, std::chrono::milliseconds(3));
    vmr::train::train(task, argv[2], vmr::train::killed_run_options());
    return 0;
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
