// Pins loss and accuracy of Conformer pre-training against direct computation, that it learns, and
// that options survive a checkpoint.
#include "vmr/train/conformer_task.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "data/memory_store.h"
#include "train/toy_task.h"
#include "vmr/core/error.h"
#include "vmr/train/checkpoint.h"
#include "vmr/train/trainer.h"

namespace vmr::train {
namespace {

// Ten tracks a split, two to four clips of [12, 8]; the tag is in which half of the features is
// loud.
class ConformerPretrainingTest : public ::testing::Test {
 protected:
  ConformerPretrainingTest() {
    torch::manual_seed(3);
    for (const std::string split : {"train", "valid"}) {
      for (int64_t i = 0; i < 10; ++i) {
        const std::string id = split + std::to_string(i);
        manifest_.items.push_back(data::music_item(id, {i % 2 == 0 ? "calm" : "loud"}, split));
        auto values = 0.3 * torch::randn({2 + i % 3, 12, 8});
        values.narrow(2, 4 * (i % 2), 4) += 1;
        store_.put_values("fbank", "music", id, values);
      }
    }
  }
  data::ClipDataset clips(const std::string& split) const {
    return data::ClipDataset(store_, manifest_,
                             {.feature = "fbank", .split = split, .batch = 8, .group_items = 0});
  }
  static nn::ConformerOptions small(int64_t classes = 2) {
    return nn::ConformerOptions(8, classes).dim(8).layers(1).heads(2).kernel(3);
  }

  data::MemoryStore store_;
  store::Manifest manifest_;
};

TEST_F(ConformerPretrainingTest, ValidatesInEvaluationModeOverAllClips) {
  const auto train_clips = clips("train"), valid_clips = clips("valid");
  nn::Conformer net(small());
  ConformerPretraining task(net, train_clips, &valid_clips);
  const auto figures = task.validate();
  EXPECT_TRUE(net->is_training());
  std::vector<int64_t> all(static_cast<size_t>(valid_clips.size()));
  std::iota(all.begin(), all.end(), 0);
  const auto batch = valid_clips.collate(all);
  net->eval();
  const torch::NoGradGuard no_grad;
  const auto log_probabilities = torch::log_softmax(net->forward(batch.values), 1);
  const auto loss = -log_probabilities.gather(1, batch.labels.unsqueeze(1)).mean();
  EXPECT_NEAR(figures.at("loss"), loss.item<double>(), 1e-5);
  const auto right = log_probabilities.argmax(1).eq(batch.labels).to(torch::kDouble).mean();
  EXPECT_NEAR(figures.at("accuracy"), right.item<double>(), 1e-9);
}

TEST_F(ConformerPretrainingTest, ValidationAsPublishedMovesTheRunningAverages) {
  const auto train_clips = clips("train"), valid_clips = clips("valid");
  for (const bool published : {false, true}) {
    nn::Conformer net(small());
    std::vector<at::Tensor> before;
    for (const auto& buffer : net->buffers()) before.push_back(buffer.clone());
    ConformerPretraining task(net, train_clips, &valid_clips,
                              {.data = "{}", .validate_in_training = published});
    task.validate();
    bool same = true;
    const auto after = net->buffers();
    for (size_t i = 0; i < after.size(); ++i) same = same && at::equal(before[i], after[i]);
    EXPECT_EQ(same, !published);
    EXPECT_TRUE(net->is_training());
  }
}

TEST_F(ConformerPretrainingTest, LearnsTheTagsAndResumesToTheSameBits) {
  const auto train_clips = clips("train"), valid_clips = clips("valid");
  TrainerOptions options;
  options.epochs = 6;
  options.learning_rate = 1e-2;
  options.schedule.kind = ScheduleKind::inverse_epoch;
  const auto run = [&](const std::filesystem::path& folder, int64_t until) {
    torch::manual_seed(1);
    nn::Conformer net(small());
    ConformerPretraining task(net, train_clips, &valid_clips);
    std::stop_source source;
    RunControl control;
    control.stop = source.get_token();
    control.on_progress = [&](const Progress& progress) {
      if (progress.done >= until) source.request_stop();
    };
    const auto summary = train(task, folder, options, control);
    return std::pair(summary, weights_hash(*net));
  };
  const TemporaryFolder whole, cut;
  const auto [summary, expected] = run(whole, 1000);
  EXPECT_GT(summary.figures.at("accuracy"), 0.95);
  EXPECT_LT(summary.figures.at("loss"), 0.3);
  run(cut, 9);
  EXPECT_EQ(run(cut, 1000).second, expected);
  // What is saved is enough to build the network again.
  const auto checkpoint = summary.last_checkpoint;
  const auto model = read_model_json(checkpoint);
  EXPECT_EQ(model["kind"], "conformer");
  EXPECT_EQ(model["classes"], (nlohmann::json{"calm", "loud"}));
  nn::Conformer again(conformer_options(model["options"], "model.json"));
  load_weights(checkpoint, *again);
  EXPECT_EQ(weights_hash(*again), expected);
}

TEST_F(ConformerPretrainingTest, RefusesClipsThatDoNotFit) {
  const auto train_clips = clips("train");
  EXPECT_THROW(ConformerPretraining(nn::Conformer(small(3)), train_clips, nullptr),
               InvalidArgument);
  EXPECT_THROW(ConformerPretraining(nn::Conformer(nn::ConformerOptions(9, 2).dim(8).heads(2)),
                                    train_clips, nullptr),
               InvalidArgument);
  ConformerPretraining without(nn::Conformer(small()), train_clips, nullptr);
  EXPECT_TRUE(without.validate().empty());
}

TEST(ConformerOptions, SurviveJson) {
  auto options = nn::ConformerOptions(80, 7)
                     .dim(16)
                     .layers(2)
                     .heads(4)
                     .feed_forward_expansion(3)
                     .conv_expansion(4)
                     .kernel(5)
                     .input_dropout(0.1)
                     .feed_forward_dropout(0.2)
                     .attention_dropout(0.3)
                     .conv_dropout(0.4)
                     .positions(nn::RelPosMode::transformer_xl)
                     .scale_by(nn::ScoreScale::head)
                     .input_scale(0.5);
  const auto json = to_json(options);
  EXPECT_EQ(to_json(conformer_options(json, "x")), json);
  EXPECT_EQ(json.size(), 15u);
  EXPECT_NE(json, to_json(nn::ConformerOptions(80, 7)));
  auto wrong = json;
  wrong["kernal"] = 3;
  EXPECT_THROW(conformer_options(wrong, "x"), InvalidArgument);
}

}  // namespace
}  // namespace vmr::train
