// Pins Cbvmr: vectors, loss terms, running averages and keys of the same network in PyTorch;
// padding, batch, copies, gradients, train against eval, options, learning.
#include "vmr/model/cbvmr.h"

#include "model/baseline_items.h"

namespace vmr::model {
namespace {

using namespace vmr::test;

CbvmrOptions small() {
  CbvmrOptions o;
  set_small_inputs(o);
  o.music_hidden = {10, 9};
  o.video_hidden = {11};
  o.embedding_dim = 6;
  o.dropout = 0;
  return o;
}

std::shared_ptr<Cbvmr> filled(const CbvmrOptions& options) {
  auto model = std::make_shared<Cbvmr>(options);
  fill_by_formula(*model);
  model->eval();
  return model;
}

TEST(Cbvmr, GivesPyTorchsVectorsTermsAndKeysInEveryVariant) {
  const auto variants = golden("baselines.json").at("cbvmr");
  ASSERT_EQ(variants.size(), 3);
  for (const auto& expected : variants) {
    auto options = small();
    options.first_norm = expected.at("first_norm");
    options.linear = expected.at("linear");
    auto model = filled(options);
    expect_golden(model->embed_music(music()).squeeze(1), expected.at("music"));
    expect_golden(model->embed_video(video()).squeeze(1), expected.at("video"));
    EXPECT_EQ(state_keys(*model), expected.at("keys").get<std::vector<std::string>>());
    expect_terms(model->loss(pairs()), expected.at("terms"));
    // In training: statistics of the batch, and running averages that move by 1 %.
    model->train();
    expect_terms(model->loss(pairs()), expected.at("training_terms"));
    const auto last = options.linear ? "5" : options.first_norm ? "8" : "7";
    expect_golden(model->named_buffers()[std::string("music_net.") + last + ".running_mean"],
                  expected.at("running_mean"));
  }
}

TEST(Cbvmr, EmbedsItemsOneByOneAsInABatch) { expect_embeds_items(*filled(small())); }

TEST(Cbvmr, TheAverageSettingReadsNoClasses) {
  auto options = small();
  options.rhythm_flow = false;
  auto model = filled(options);
  EXPECT_EQ(model->inputs().music.size(), 1);
  auto song = item(music(), 1);
  song.erase("rhythm");
  const auto expected = model->embed_music(song);
  song["m"].values = song["m"].values.mean(1, true);  // one clip, their mean
  expect_near(model->embed_music(song), expected, 1e-5);
}

TEST(Cbvmr, CopiesAndSaves) {
  auto options = small();
  options.dropout = 0.3;
  options.loss.structure = loss::StructureWindow::ut_cmvmr;
  options.loss.count_masked = true;
  expect_copies(*filled(options));
}

TEST(Cbvmr, EveryParameterGetsAGradient) {
  // Biases before the last norm move nothing.
  expect_gradients(*filled(small()), {"music_net.6.bias", "video_net.3.bias"});
}

TEST(Cbvmr, OnlyDropoutAndBatchStatisticsDifferInTraining) {
  auto options = small();
  options.dropout = 0.5;
  auto model = filled(options);
  const auto calm = model->loss(pairs()).total();
  EXPECT_TRUE(at::equal(model->loss(pairs()).total(), calm));
  model->train();
  EXPECT_FALSE(at::equal(model->loss(pairs()).total(), model->loss(pairs()).total()));
  model->eval();
  for (auto& buffer : model->buffers()) {
    EXPECT_TRUE(buffer.to(torch::kDouble).isfinite().all().item<bool>());
  }
}

TEST(Cbvmr, DrawsWeightsCutAtTwoDeviations) {
  torch::manual_seed(5);
  auto options = small();
  options.music_hidden = {2048, 1024};
  const auto weight = Cbvmr(options).named_parameters()["music_net.3.weight"];  // 2048 -> 1024
  const double deviation = std::sqrt(2.0 / 2048);
  EXPECT_LE(weight.abs().max().item<double>(), 2 * deviation * (1 + 1e-6));
  EXPECT_GT(weight.abs().max().item<double>(), 1.99 * deviation);
  EXPECT_NEAR(weight.std().item<double>(), 0.8796 * deviation, 0.002 * deviation);
  EXPECT_NEAR(weight.mean().item<double>(), 0, 0.005 * deviation);
}

TEST(Cbvmr, FilmsOfOneTrackAreNoNegatives) {
  auto model = filled(small());
  auto batch = pairs();
  batch.track_ids = torch::zeros({kItems}, torch::kLong);
  const auto terms = model->loss(batch);
  EXPECT_EQ(term(terms, "music_to_video"), 0);
  EXPECT_EQ(term(terms, "video_to_music"), 0);
  EXPECT_EQ(term(terms, "music_structure"), 0);  // one track has no neighbours
  EXPECT_NE(term(terms, "video_structure"), 0);
}

TEST(Cbvmr, CountsMaskedPairsWhereAsked) {
  auto options = small();
  const auto real = filled(options)->loss(pairs());
  options.loss.count_masked = true;
  const auto diluted = filled(options)->loss(pairs());
  // 25 entries of which 5 are the pairs and 2 the shared track.
  EXPECT_NEAR(term(diluted, "music_to_video"), term(real, "music_to_video") * 18 / 25, 1e-6);
}

TEST(Cbvmr, ABatchOfOneIsZeroInEvaluationAndRefusedInTraining) {
  auto model = filled(small());
  data::PairBatch one;
  one.music = item(music(), 0);
  one.video = item(video(), 0);
  one.track_ids = torch::zeros({1}, torch::kLong);
  EXPECT_EQ(model->loss(one).total().item<double>(), 0);
  model->train();
  EXPECT_THROW(model->loss(one), InvalidArgument);
}

TEST(Cbvmr, LearnsOneBatchByHeart) {
  torch::manual_seed(3);
  auto options = small();
  options.music_hidden = {32, 24};
  options.video_hidden = {32};
  Cbvmr model(options);
  torch::optim::Adam optimiser(model.parameters(), torch::optim::AdamOptions(1e-2));
  auto batch = pairs();
  batch.track_ids = torch::arange(kItems);
  double last = 0;
  const double first = model.loss(batch).total().item<double>();
  for (int step = 0; step < 100; ++step) {
    optimiser.zero_grad();
    const auto total = model.loss(batch).total();
    last = total.item<double>();
    total.backward();
    optimiser.step();
  }
  EXPECT_LT(last, 0.3 * first);
}

TEST(Cbvmr, StatesInputsAndRefusesWrongOptions) {
  const auto published = make_matching_model({{"kind", "cbvmr"}});
  EXPECT_EQ(published->embedding_dim(), 512);
  EXPECT_EQ(published->inputs().music[0].feature, "conformer_audio");
  EXPECT_EQ(published->inputs().text_dim, 0);
  EXPECT_FALSE(published->inputs().negatives);
  EXPECT_EQ(published->named_parameters()["music_net.0.weight"].size(0), 2048);
  // Open dims can be asked for before they are known; 30 is refused only when it is built.
  const nlohmann::json open = {{"kind", "cbvmr"}, {"music", "vggish"}, {"music_dim", 30}};
  EXPECT_EQ(matching_model_inputs(open).music[0].feature, "vggish");
  EXPECT_EQ(matching_model_inputs(open).music[0].dim_key, "music_dim");
  EXPECT_EQ(matching_model_inputs(open).music[1].dim_key, "");
  expect_refused(open, "multiple of 4");
  expect_refused({{"kind", "cbvm"}}, "cbvmr");
  expect_refused({{"kind", "cbvmr"}, {"text_dim", 5}}, "text_dim");
  expect_refused({{"kind", "cbvmr"}, {"dropout", 1.0}}, "dropout");
  expect_refused({{"kind", "cbvmr"}, {"loss", {{"margins", 1}}}}, "margin");
  expect_refused({{"kind", "cbvmr"}, {"loss", {{"structure", "vmnet"}}}}, "vm_net");
  expect_refused({{"kind", "cbvmr"}, {"loss", {{"music_to_video", 0}, {"video_to_music", 0}}}},
                 "both 0");
}

}  // namespace
}  // namespace vmr::model
