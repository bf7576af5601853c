// Pins runs that begin with another run's weights, imported ones among them, and what is said where
// weights or dims do not fit. The store is filled by formula: no media.
#include <gmock/gmock.h>

#include "pipeline/clip_encoder.h"
#include "pipeline/evaluation_fixture.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/reference_weights.h"
#include "vmr/train/checkpoint.h"
#include "vmr/train/conformer_task.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::ThrowsMessage;

class FineTuning : public EvaluationFixture {
 protected:
  // A recipe that hardly moves the weights.
  static Recipe still(const std::string& name) {
    auto recipe = recipe_of(name);
    recipe.train.epochs = 1;
    recipe.train.learning_rate = 1e-12;
    return recipe;
  }
  static json about(const std::string& run) {
    return json::parse(std::ifstream(root() / run / "about.json"));
  }
  static double parameter_distance(const torch::nn::Module& a, const torch::nn::Module& b) {
    double largest = 0;
    const auto others = b.named_parameters();
    for (const auto& parameter : a.named_parameters()) {
      const auto difference = (parameter.value() - others[parameter.key()]).abs().max();
      largest = std::max(largest, difference.item<double>());
    }
    return largest;
  }
  // A pre-training on "fbank" clips [2, 47, 20] of the training music, of four tags.
  static Recipe pretraining() {
    auto document = test::tiny_recipe();
    document["extract"]["features"]["fbank"]["mels"] = 20;
    document["pretrain"]["audio"] = {{"dim", 16},   {"layers", 2}, {"heads", 4},
                                     {"kernel", 7}, {"epochs", 1}, {"learning_rate", 1e-12}};
    return parse_recipe(document, "pretraining.json");
  }
  static void put_clips() {
    const auto store = store::FeatureStore::open(root() / "store", {.writable = true});
    const auto items = manifest();
    for (const auto* item : items.of("music")) {
      const auto values = test::formula_values(item->id + "f", {2, 47, 20}).contiguous();
      store->put(
          {{{"fbank", "music", item->id}, {values, RowTimes::regular(2, 0, 4, 4), {"fbank"}}}});
    }
  }
  static fs::path published() {
    return fs::path(VMR_TEST_DATA) / "reference_weights" / "conformer.pth";
  }
};

TEST_F(FineTuning, AMatchingRunBeginsWithTheOthersWeights) {
  const auto start = open_matching_run(root() / "plain", "cpu");
  train_matching(still("plain"), root() / "store", root() / "tuned",
                 {{.seed = 9}, root() / "plain"});
  const auto tuned = open_matching_run(root() / "tuned", "cpu");
  EXPECT_LT(parameter_distance(*tuned.model, *start.model), 1e-6);
  EXPECT_EQ(about("tuned").at("from").at("weights_hash"), start.weights_hash);
  train_matching(still("plain"), root() / "store", root() / "fresh", {{.seed = 9}, {}});
  const auto fresh = open_matching_run(root() / "fresh", "cpu");
  EXPECT_GT(parameter_distance(*fresh.model, *start.model), 1e-2);
  EXPECT_FALSE(about("fresh").contains("from"));
}

TEST_F(FineTuning, ARunGoesOnWhereItsBeginningIsGone) {
  fs::copy(root() / "plain", root() / "start", fs::copy_options::recursive);
  auto recipe = still("plain");
  recipe.train.epochs = 2;
  RunControl cut;
  std::stop_source stop;
  cut.stop = stop.get_token();
  cut.on_progress = [&](const Progress& progress) {
    if (progress.done >= 1) stop.request_stop();
  };
  EXPECT_FALSE(
      train_matching(recipe, root() / "store", root() / "cut", {{.seed = 9}, root() / "start"}, cut)
          .finished);
  const auto begun = about("cut").at("from");
  fs::remove_all(root() / "start");
  EXPECT_TRUE(train_matching(recipe, root() / "store", root() / "cut", {{.seed = 9}, {}}).finished);
  EXPECT_EQ(about("cut").at("from"), begun);
  // Named again it is not read again.
  EXPECT_TRUE(
      train_matching(recipe, root() / "store", root() / "cut", {{.seed = 9}, root() / "start"})
          .finished);
  EXPECT_THAT(
      [&] {
        train_matching(recipe_of("plain"), root() / "store", root() / "plain",
                       {{}, root() / "cut"});
      },
      ThrowsMessage<InvalidArgument>(HasSubstr("was begun without --from")));
}

TEST_F(FineTuning, SaysWhatDoesNotFit) {
  const auto tuning = [&](const std::string& from, const std::string& to = "new") {
    return [=] {
      train_matching(still("plain"), root() / "store", root() / to, {{}, root() / from});
    };
  };
  EXPECT_THAT(tuning("cbvmr"), ThrowsMessage<InvalidArgument>(HasSubstr("Missing: pos_emb1D")));
  EXPECT_THAT(tuning("plain", "plain"),
              ThrowsMessage<InvalidArgument>(HasSubstr("the folder of the new run")));
  EXPECT_THAT(tuning("nowhere"), ThrowsMessage<StoreError>(HasSubstr("does not exist")));
  EXPECT_FALSE(fs::exists(root() / "new" / "checkpoints"));
}

TEST_F(FineTuning, ADimThatIsNotTheStoresIsSaidBeforeTheWork) {
  auto recipe = recipe_of("plain");
  recipe.model["video_dim"] = 32;
  EXPECT_THAT([&] { train_matching(recipe, root() / "store", root() / "wide"); },
              ThrowsMessage<InvalidArgument>(
                  testing::AllOf(HasSubstr("model.video_dim 32"), HasSubstr("have 16 values"))));
}

TEST_F(FineTuning, AnImportedEncoderIsTunedOnOtherClasses) {
  put_clips();
  import_conformer(published(), "audio", pretraining(), root() / "imported");
  pretrain(pretraining(), "audio", root() / "store", root() / "audio", {{}, root() / "imported"});
  const auto network = [](const fs::path& run) {
    const auto checkpoint = train::find_best_checkpoint(run);
    nn::Conformer net(
        train::conformer_options(train::read_model_json(checkpoint).at("options"), "model.json"));
    train::load_weights(checkpoint, *net);
    return net;
  };
  const auto before = network(root() / "imported"), after = network(root() / "audio");
  EXPECT_LT(parameter_distance(*after->encoder, *before->encoder), 1e-6);
  ASSERT_NE(before->classification->weight.size(0), 4);
  EXPECT_EQ(after->classification->weight.size(0), 4);
  EXPECT_EQ(about("audio").at("from").at("weights_hash"),
            ClipEncoder::load_run(root() / "imported", at::kCPU).weights_hash());
  EXPECT_THAT(
      [&] {
        pretrain(pretraining(), "audio", root() / "store", root() / "x", {{}, root() / "plain"});
      },
      ThrowsMessage<StoreError>(HasSubstr("not a run of `vmr pretrain` but of `vmr train`")));
}

}  // namespace
}  // namespace vmr::pipeline
