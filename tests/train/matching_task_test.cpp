// Pins the batches a matching model gets, its recalls against ranks counted by hand, and that
// training finds pairs that a linear map explains.
#include "vmr/train/matching_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <numeric>

#include "data/memory_store.h"
#include "train/toy_task.h"
#include "vmr/core/error.h"
#include "vmr/train/checkpoint.h"
#include "vmr/train/trainer.h"

namespace vmr::train {
namespace {

// A linear map of the video, cosine with the music, in-batch cross entropy.
class LinearModel : public model::MatchingModel {
 public:
  LinearModel() { torch::nn::init::eye_(map->weight); }
  std::string kind() const override { return "linear"; }
  nlohmann::json config() const override { return {{"kind", "linear"}}; }
  model::ModelInputs inputs() const override {
    return {{{"m", {4}}}, {{"v", {4}}}, needs_text ? 8 : 0, true};
  }
  int64_t embedding_dim() const override { return 4; }
  torch::Tensor embed_music(const data::FeatureMap& music) override {
    return unit(music.at("m").values);
  }
  torch::Tensor embed_video(const data::FeatureMap& video) override {
    EXPECT_FALSE(is_training());
    return embed(video);
  }
  loss::Terms loss(const data::PairBatch& batch) override {
    batches.push_back(batch);
    modes.push_back(is_training());
    const auto scores =
        10 * embed(batch.video).squeeze(1).mm(embed_music(batch.music).squeeze(1).t());
    loss::Terms terms;
    terms.add("match", 2.0,
              torch::nn::functional::cross_entropy(scores, torch::arange(batch.size())));
    return terms;
  }

  // First row of each item, of unit length: [batch, 1, 4].
  static torch::Tensor unit(const torch::Tensor& values) {
    const auto row = values.narrow(1, 0, 1);
    return row / row.norm(2, 2, /*keepdim=*/true);
  }
  torch::Tensor embed(const data::FeatureMap& video) {
    return unit(map->forward(video.at("v").values));
  }
  torch::nn::Linear map =
      register_module("map", torch::nn::Linear(torch::nn::LinearOptions(4, 4).bias(false)));
  bool needs_text = false;
  std::vector<data::PairBatch> batches;
  std::vector<bool> modes;
};

class MatchingTaskTest : public ::testing::Test {
 protected:
  void add_track(const std::string& id, const std::string& tag, const torch::Tensor& values) {
    manifest_.items.push_back(data::music_item(id, {tag}));
    store_.put_values("m", "music", id, values.reshape({1, 4}));
  }
  void add_film(const std::string& id, const std::string& track, const std::string& tag,
                const torch::Tensor& values, const std::string& split = "train") {
    manifest_.items.push_back(data::film_item(id, track, {tag}, split));
    store_.put_values("v", "film", id, values.reshape({1, 4}));
  }
  data::PairDataset pairs(const std::string& split) const {
    return data::PairDataset(store_, manifest_, dataset_options(LinearModel().inputs(), split));
  }

  data::MemoryStore store_;
  store::Manifest manifest_;
};

TEST_F(MatchingTaskTest, CountsHitsAsByHand) {
  const auto unit = torch::eye(4);
  add_track("m0", "a", unit[0]);
  add_track("m1", "b", unit[1]);
  add_track("m2", "a", unit[2]);
  add_film("f0", "m0", "a", 3 * unit[0] + unit[1]);                // m0 first: rank 0
  add_film("f1", "m1", "b", 3 * unit[0] + 2 * unit[1] + unit[2]);  // behind m0: rank 1
  add_film("f2", "m1", "b", unit[1]);                              // rank 0
  add_film("f3", "m2", "a", 2 * unit[0] + 2 * unit[1] - unit[2]);  // behind both: rank 2
  // Music to video: m0 scores .949, .802, 0, .667 -> its f0 first; m1 scores .316, .535, 1, .667 ->
  // its f2 first; m2 scores 0, .267, 0, -.333 -> its f3 last.
  const auto films = pairs("train");
  auto model = std::make_shared<LinearModel>();
  for (const int64_t rows : {1, 3, 100}) {
    MatchingTask task(model, films, &films, {.recall_at = {1, 2, 3, 4}, .validation_batch = rows});
    const auto figures = task.validate();
    EXPECT_EQ(figures.at("recall_1"), 0.5);
    EXPECT_EQ(figures.at("recall_2"), 0.75);
    EXPECT_EQ(figures.at("recall_3"), 1);
    EXPECT_DOUBLE_EQ(figures.at("music_recall_1"), 2.0 / 3);
    EXPECT_DOUBLE_EQ(figures.at("music_recall_3"), 2.0 / 3);
    EXPECT_EQ(figures.at("music_recall_4"), 1);
    // Ranks 1, 1, 2, 3 of the films and 1, 1, 4 of the tracks.
    EXPECT_NEAR(figures.at("log_rank"), (std::log(6.0) / 4 + std::log(4.0) / 3) / 2, 1e-12);
    EXPECT_NEAR(figures.at("loss"), 2 * figures.at("loss_match"), 1e-6);
  }
}

TEST_F(MatchingTaskTest, RanksEqualScoresByPosition) {
  const auto one = torch::ones({4});
  for (const char* id : {"m0", "m1", "m2"}) add_track(id, id, one);
  add_film("f0", "m1", "m1", one);
  add_film("f1", "m0", "m0", one);
  const auto films = pairs("train");
  MatchingTask task(std::make_shared<LinearModel>(), films, &films, {.recall_at = {1, 2}});
  const auto figures = task.validate();
  EXPECT_EQ(figures.at("recall_1"), 0.5);
  EXPECT_EQ(figures.at("recall_2"), 1);
}

// Tracks of random features; a film's are its track's rotated, with noise.
class RotatedPairsTest : public MatchingTaskTest {
 protected:
  RotatedPairsTest() {
    torch::manual_seed(7);
    const auto rotation = std::get<0>(torch::linalg_qr(torch::randn({4, 4}), "reduced"));
    for (int64_t i = 0; i < 24; ++i) {
      const std::string n = std::to_string(i), tag = i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c";
      const auto music = torch::randn({4});
      add_track("m" + n, tag, music);
      for (const std::string split : {"train", "valid"}) {
        add_film(split + n, "m" + n, tag, rotation.mv(music) + 0.02 * torch::randn({4}), split);
      }
    }
  }
};

TEST_F(RotatedPairsTest, TrainingFindsTheMap) {
  const auto train_films = pairs("train"), valid_films = pairs("valid");
  auto model = std::make_shared<LinearModel>();
  MatchingTaskOptions options;
  options.sampler = {.batch = 12, .steps_per_epoch = 10};
  options.best_figure = "recall_1";
  MatchingTask task(model, train_films, &valid_films, options);
  EXPECT_LT(task.validate().at("recall_1"), 0.3);
  const TemporaryFolder folder;
  const auto summary = train(task, folder, {.epochs = 15, .learning_rate = 0.05});
  EXPECT_GT(*summary.best_value, 0.95);
  EXPECT_GT(summary.figures.at("music_recall_5"), 0.95);
  EXPECT_EQ(read_model_json(summary.best_checkpoint), model->config());
}

TEST_F(RotatedPairsTest, KeepsTheCheckpointOfTheBestRanks) {
  const auto train_films = pairs("train"), valid_films = pairs("valid");
  auto model = std::make_shared<LinearModel>();
  MatchingTask task(model, train_films, &valid_films,
                    {.sampler = {.batch = 12, .steps_per_epoch = 2}});
  EXPECT_EQ(task.best_figure(), "log_rank");
  EXPECT_FALSE(task.larger_is_better());
  const double before = task.validate().at("log_rank");
  const TemporaryFolder folder;
  const auto summary = train(task, folder, {.epochs = 8, .learning_rate = 0.05});
  EXPECT_LT(*summary.best_value, before / 2);
  EXPECT_LE(*summary.best_value, summary.figures.at("log_rank"));
}

TEST_F(RotatedPairsTest, GivesTheModelBalancedBatchesWithRealNegatives) {
  const auto films = pairs("train");
  auto model = std::make_shared<LinearModel>();
  MatchingTask task(model, films, &films, {.sampler = {.batch = 9, .steps_per_epoch = 4}});
  EXPECT_EQ(task.steps_per_epoch(), 4);
  const auto steps = [&](int64_t epoch, uint64_t seed) {
    model->batches.clear();
    task.begin_epoch(epoch, seed);
    model->train();
    for (int64_t step = 0; step < 4; ++step) task.step(step);
    return model->batches;
  };
  const auto batches = steps(0, 1);
  for (const auto& batch : batches) {
    EXPECT_EQ(batch.size(), 9);
    EXPECT_TRUE(torch::equal(batch.tag_ids.bincount(), torch::full({3}, 3, torch::kLong)));
    EXPECT_FALSE(batch.tag_ids.eq(batch.negative_tag_ids).any().item<bool>());
    EXPECT_FALSE(batch.track_ids.eq(batch.negative_track_ids).any().item<bool>());
    EXPECT_FALSE(torch::equal(batch.video.at("v").values, batch.negative_video.at("v").values));
  }
  const auto again = steps(0, 1), next = steps(1, 1);
  EXPECT_EQ(batches[2].video_ids, again[2].video_ids);
  EXPECT_TRUE(torch::equal(batches[2].negative_track_ids, again[2].negative_track_ids));
  EXPECT_NE(batches[2].video_ids, next[2].video_ids);
  // Validation: evaluation mode, the same negatives every time.
  model->batches.clear();
  model->modes.clear();
  task.validate();
  task.begin_epoch(5, 2);
  task.validate();
  ASSERT_EQ(model->batches.size(), 2u);
  EXPECT_TRUE(
      torch::equal(model->batches[0].negative_track_ids, model->batches[1].negative_track_ids));
  EXPECT_EQ(model->modes, (std::vector<bool>{false, false}));
  EXPECT_TRUE(model->is_training());
}

TEST_F(RotatedPairsTest, LeavesOutLossesWhereAHeldOutFilmHasNoNegative) {
  // Two tags, but one track: no film has a negative. And one film in three that has none.
  add_film("held a", "m0", "a", torch::ones({4}), "one track");
  add_film("held b", "m0", "b", torch::ones({4}), "one track");
  for (const std::string id : {"a", "b"}) add_film("few " + id, "m0", id, torch::ones({4}), "few");
  add_film("few c", "m1", "a", torch::ones({4}), "few");
  const auto train_films = pairs("train");
  for (const std::string split : {"one track", "few"}) {
    const auto held = pairs(split);
    MatchingTask task(std::make_shared<LinearModel>(), train_films, &held,
                      {.sampler = {.batch = 12}});
    const auto figures = task.validate();
    EXPECT_EQ(figures.count("loss"), 0u) << split;
    EXPECT_EQ(figures.count("recall_1"), 1u) << split;
  }
}

// Its loss is the mean square of the film's values after a batch norm without weights.
class NormModel : public LinearModel {
 public:
  loss::Terms loss(const data::PairBatch& batch) override {
    loss::Terms terms;
    const auto rows = batch.video.at("v").values.squeeze(1);
    terms.add("square", 1.0, norm->forward(rows).square().mean());
    return terms;
  }
  torch::nn::BatchNorm1d norm = register_module(
      "norm", torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(4).affine(false).eps(0)));
};

TEST_F(RotatedPairsTest, ValidatesWithBatchStatisticsWhereAsked) {
  const auto films = pairs("valid");
  std::vector<int64_t> all(static_cast<size_t>(films.size()));
  std::iota(all.begin(), all.end(), 0);
  const auto rows = films.collate_video(all).at("v").values.squeeze(1);
  for (const bool in_training : {false, true}) {
    auto model = std::make_shared<NormModel>();
    MatchingTask task(model, films, &films, {.validate_in_training = in_training});
    model->train();
    const auto figures = task.validate();
    // Averages of 0 and 1 change nothing; batch statistics make every column of unit variance.
    EXPECT_NEAR(figures.at("loss"), in_training ? 1.0 : rows.square().mean().item<double>(), 1e-5);
    const auto average = in_training ? 0.1 * rows.mean(0) : torch::zeros({4});
    EXPECT_TRUE(torch::allclose(model->norm->running_mean, average, 1e-5, 1e-6));
    EXPECT_TRUE(model->is_training());
  }
}

TEST_F(RotatedPairsTest, RefusesDataTheModelCannotTrainOn) {
  const auto films = pairs("train");
  auto model = std::make_shared<LinearModel>();
  model->needs_text = true;
  EXPECT_THROW(MatchingTask(model, films, nullptr, {}), InvalidArgument);
  const data::PairDataset with_text(store_, manifest_, dataset_options(model->inputs(), "train"),
                                    data::formula_tag_vectors({"a", "b", "c"}, 8));
  EXPECT_NO_THROW(MatchingTask(model, with_text, nullptr, {}));
  add_film("lost a", "m0", "a", torch::ones({4}), "lost");
  add_film("lost b", "m0", "b", torch::ones({4}), "lost");
  const auto lost = pairs("lost");
  EXPECT_THAT([&] { MatchingTask(std::make_shared<LinearModel>(), lost, nullptr, {}); },
              testing::ThrowsMessage<InvalidArgument>(testing::HasSubstr("film lost a has no")));
  for (auto& item : manifest_.items) item.tags = {"same"};
  const auto one_tag = pairs("train");
  EXPECT_THROW(MatchingTask(std::make_shared<LinearModel>(), one_tag, nullptr, {}),
               InvalidArgument);
}

TEST(DatasetOptions, AlignRowsOfEqualDuration) {
  model::ModelInputs inputs;
  inputs.music = {{"clips", {8}, 4.0, 7}, {"beats", {}, 0, 0}, {"rhythm", {3}, 4.0, 7}};
  inputs.video = {{"flow", {}, 1.0, 0}};
  const auto options = dataset_options(inputs, "test");
  EXPECT_EQ(options.split, "test");
  ASSERT_EQ(options.music.size(), 3u);
  EXPECT_EQ(options.music[0].max_rows, 7);
  EXPECT_EQ(options.music[0].rows_like, "");
  EXPECT_EQ(options.music[1].rows_like, "");
  EXPECT_EQ(options.music[2].rows_like, "clips");
  EXPECT_EQ(options.video[0].feature, "flow");
}

}  // namespace
}  // namespace vmr::train
