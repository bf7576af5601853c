// Pins Adam and clipping against values worked by hand and torch.optim's, checkpoints kept, the best
// one, early stop, and what is said about losses that are no numbers.
#include "vmr/train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "train/toy_task.h"
#include "vmr/core/error.h"
#include "vmr/train/checkpoint.h"

namespace vmr::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

// The gradient of its two weights is what the test says, step by step.
class GivenGradients : public TrainingTask {
 public:
  struct Weights : torch::nn::Module {
    Weights() { w = register_parameter("w", torch::tensor({1.0f, -2.0f})); }
    torch::Tensor w, unused = register_parameter("unused", torch::ones({3}));
  };
  explicit GivenGradients(std::vector<std::pair<double, double>> gradients)
      : gradients_(std::move(gradients)) {}
  torch::nn::Module& module() override { return weights_; }
  int64_t steps_per_epoch() const override { return static_cast<int64_t>(gradients_.size()); }
  void begin_epoch(int64_t, uint64_t) override {}
  loss::Terms step(int64_t step) override {
    const auto [x, y] = gradients_[static_cast<size_t>(step)];
    loss::Terms terms;
    terms.add("given", 1.0, (torch::tensor({x, y}).to(torch::kFloat) * weights_.w).sum());
    return terms;
  }
  std::map<std::string, double> validate() override { return {}; }

  Weights weights_;
  std::vector<std::pair<double, double>> gradients_;
};

// Adam written out for one weight.
double adam(double weight, const std::vector<double>& gradients, const TrainerOptions& o) {
  double m = 0, v = 0, t = 0;
  for (const double given : gradients) {
    const double g = given + o.weight_decay * weight;
    ++t;
    m = o.beta1 * m + (1 - o.beta1) * g;
    v = o.beta2 * v + (1 - o.beta2) * g * g;
    const double m_hat = m / (1 - std::pow(o.beta1, t)), v_hat = v / (1 - std::pow(o.beta2, t));
    weight -= o.learning_rate * m_hat / (std::sqrt(v_hat) + o.epsilon);
  }
  return weight;
}

TEST(Trainer, StepsAsAdamDoesByHand) {
  for (const double decay : {0.0, 0.1}) {
    const TemporaryFolder folder;
    GivenGradients task({{0.5, -1}, {0.1, 2}, {-3, 0.25}});
    TrainerOptions options;
    options.epochs = 1;
    options.learning_rate = 0.05;
    options.weight_decay = decay;
    options.clip_norm = 0;
    train(task, folder, options);
    const auto w = task.weights_.w;
    EXPECT_NEAR(w[0].item<double>(), adam(1, {0.5, 0.1, -3}, options), 1e-6);
    EXPECT_NEAR(w[1].item<double>(), adam(-2, {-1, 2, 0.25}, options), 1e-6);
    EXPECT_TRUE(torch::equal(task.weights_.unused, torch::ones({3})));
  }
}

TEST(Trainer, DecaysWeightsAsPyTorchDoes) {
  std::ifstream in(VMR_TEST_DATA "/baselines.json");
  const auto expected = nlohmann::json::parse(in).at("adam");
  const TemporaryFolder folder;
  GivenGradients task(expected.at("gradients").get<std::vector<std::pair<double, double>>>());
  TrainerOptions options;
  options.epochs = 1;
  options.learning_rate = expected.at("learning_rate");
  options.weight_decay = expected.at("weight_decay");
  options.clip_norm = 0;
  train(task, folder, options);
  for (const int64_t i : {0, 1}) {
    EXPECT_NEAR(task.weights_.w[i].item<double>(),
                expected.at("weights")[static_cast<size_t>(i)].get<double>(), 1e-6);
  }
}

TEST(Trainer, ClipsByTheGlobalNorm) {
  const TemporaryFolder folder;
  GivenGradients task({{3, 4}, {0.3, 0.4}});  // norms 5 and 0.5: the first is divided by 5/2
  TrainerOptions options;
  options.epochs = 1;
  options.learning_rate = 0.05;
  options.clip_norm = 2;
  train(task, folder, options);
  EXPECT_NEAR(task.weights_.w[0].item<double>(), adam(1, {1.2, 0.3}, options), 1e-6);
  EXPECT_NEAR(task.weights_.w[1].item<double>(), adam(-2, {1.6, 0.4}, options), 1e-6);
}

TEST(Trainer, LowersTheLossAndReportsIt) {
  const TemporaryFolder folder;
  ToyTask task;
  TrainerOptions options;
  options.epochs = 30;
  options.learning_rate = 0.02;
  const double before = task.validate().at("loss");
  const auto summary = train(task, folder, options);
  EXPECT_LT(summary.figures.at("loss"), 0.3 * before);
  EXPECT_EQ(summary.epochs, 30);
  EXPECT_EQ(summary.steps, 150);
  EXPECT_EQ(summary.resumed_step, 0);
  EXPECT_TRUE(summary.finished);
  EXPECT_EQ(logged_steps(folder, "step").size(), 150u);
  EXPECT_EQ(logged_steps(folder, "epoch").back(), 150);
}

TEST(Trainer, LogsTermsMonitorsRateAndEpochMeans) {
  const TemporaryFolder folder;
  GivenGradients task({{1, 0}, {0, 1}});  // losses: w0 = 1, then w1 = -2 (both steps move by 0.1)
  TrainerOptions options;
  options.epochs = 1;
  options.learning_rate = 0.1;
  options.schedule = {ScheduleKind::exponential, 0.5, 1};
  train(task, folder, options);
  std::ifstream file(folder.path() / "events.jsonl");
  std::vector<nlohmann::json> events;
  for (std::string line; std::getline(file, line);) events.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0]["values"]["given"], 1.0);
  EXPECT_EQ(events[0]["values"]["total"], 1.0);
  EXPECT_EQ(events[0]["learning_rate"], 0.1);
  EXPECT_EQ(events[0]["gradient_norm"], 1.0);
  EXPECT_EQ(events[1]["learning_rate"], 0.05);
  EXPECT_EQ(events[1]["values"]["given"], -2.0);
  EXPECT_EQ(events[2]["event"], "epoch");
  EXPECT_EQ(events[2]["values"]["given"], -0.5);
}

TEST(Trainer, KeepsTheNewestCheckpointsAndTheBest) {
  const TemporaryFolder folder;
  ToyTask task;
  const std::vector<double> figures = {5, 3, 4, 6, 7, 8};
  task.figure_instead = [&](int64_t epoch) { return figures[static_cast<size_t>(epoch)]; };
  TrainerOptions options;
  options.epochs = 6;
  options.keep = 2;
  const auto summary = train(task, folder, options);
  const fs::path inner = folder.path() / "checkpoints";
  EXPECT_THAT(
      list_checkpoints(folder),
      ElementsAre(inner / "step-00000010", inner / "step-00000025", inner / "step-00000030"));
  EXPECT_EQ(summary.best_checkpoint, inner / "step-00000010");
  EXPECT_EQ(summary.last_checkpoint, inner / "step-00000030");
  EXPECT_EQ(summary.best_epoch, 1);
  EXPECT_EQ(summary.best_value, 3);
  EXPECT_EQ(find_best_checkpoint(folder), inner / "step-00000010");
}

TEST(Trainer, StopsEarlyWithoutPatienceLeft) {
  const TemporaryFolder folder;
  ToyTask task;
  task.figure_instead = [](int64_t epoch) { return epoch == 2 ? 1.0 : 2.0; };
  TrainerOptions options;
  options.epochs = 50;
  options.patience = 3;
  auto summary = train(task, folder, options);
  EXPECT_EQ(summary.epochs, 6);  // best at epoch 2, then 3, 4, 5
  EXPECT_TRUE(summary.stopped_early);
  EXPECT_TRUE(summary.finished);
  summary = train(task, folder, options);
  EXPECT_EQ(summary.epochs, 6);
  EXPECT_TRUE(summary.stopped_early);
}

TEST(Trainer, NamesEpochStepAndTermOfALossThatIsNoNumber) {
  const TemporaryFolder folder;
  ToyTask task;
  task.before_step = [&](int64_t step) {
    if (task.epochs_begun == 2 && step == 3) {
      const torch::NoGradGuard no_grad;
      task.module().parameters().back().fill_(std::numeric_limits<float>::quiet_NaN());
    }
  };
  TrainerOptions options;
  options.epochs = 3;
  try {
    train(task, folder, options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("loss term 'square' is nan at epoch 1, step 3 (step 8 of"));
  }
  // The checkpoint before is good.
  ToyTask again;
  EXPECT_EQ(train(again, folder, options).resumed_step, 5);
}

TEST(Trainer, SaysWhereValidationLacksTheFigure) {
  const TemporaryFolder folder;
  ToyTask task;
  task.best_figure_name = "recall_10";
  EXPECT_THROW(train(task, folder, {.epochs = 1}), InvalidArgument);
}

TEST(TrainerOptions, AreChecked) {
  const TemporaryFolder folder;
  ToyTask task;
  for (const auto& options : std::vector<TrainerOptions>{{.epochs = 0},
                                                         {.learning_rate = 0},
                                                         {.beta2 = 1},
                                                         {.weight_decay = -1},
                                                         {.clip_norm = -1},
                                                         {.keep = 0},
                                                         {.log_every_steps = 0}}) {
    EXPECT_THROW(train(task, folder.path() / "run", options), InvalidArgument);
  }
  EXPECT_FALSE(fs::exists(folder.path() / "run"));
}

}  // namespace
}  // namespace vmr::train
