// Pins Cmvae: vectors, loss terms and keys of the same network in PyTorch, with and without text;
// padding, batch, copies, gradients, train against eval, absent text, options, learning.
#include "vmr/model/cmvae.h"

#include "model/baseline_items.h"

namespace vmr::model {
namespace {

using namespace vmr::test;

CmvaeOptions small() {
  CmvaeOptions o;
  set_small_inputs(o);
  o.latent_dim = 6;
  o.dropout = 0;
  return o;
}

CmvaeOptions with_text() {
  auto o = small();
  o.text_dim = kText;
  o.poe_prior = true;
  return o;
}

std::shared_ptr<Cmvae> filled(const CmvaeOptions& options) {
  auto model = std::make_shared<Cmvae>(options);
  fill_by_formula(*model);
  model->eval();
  return model;
}

TEST(Cmvae, GivesPyTorchsVectorsTermsAndKeys) {
  const auto variants = golden("baselines.json").at("cmvae");
  ASSERT_EQ(variants.size(), 2);
  for (const auto& expected : variants) {
    auto options = small();
    options.text_dim = expected.at("takes_text") ? kText : 0;
    options.poe_prior = expected.at("prior");
    options.loss.matching =
        expected.at("matching") == "hinge" ? loss::GapMatching::hinge : loss::GapMatching::gap_max;
    options.decoder_activation =
        expected.at("relu") ? DecoderActivation::relu : DecoderActivation::none;
    auto model = filled(options);
    expect_golden(model->embed_music(music()).squeeze(1), expected.at("music"));
    expect_golden(model->embed_video(video()).squeeze(1), expected.at("video"));
    const auto text = model->embed_text(pairs().text);
    ASSERT_EQ(text.has_value(), options.text_dim > 0);
    if (text) expect_golden(text->squeeze(1), expected.at("text"));
    EXPECT_EQ(state_keys(*model), expected.at("keys").get<std::vector<std::string>>());
    expect_terms(model->loss(pairs()), expected.at("terms"));
    // What does not depend on the drawn latents, with statistics of the batch.
    model->train();
    EXPECT_NEAR(term(model->loss(pairs()), "divergence_music"),
                expected.at("training_divergence_music").get<double>(), 1e-5);
  }
}

TEST(Cmvae, EmbedsItemsOneByOneAsInABatch) {
  expect_embeds_items(*filled(small()));
  expect_embeds_items(*filled(with_text()));
}

TEST(Cmvae, CopiesAndSaves) {
  auto options = with_text();
  options.loss.matching = loss::GapMatching::gap_max;
  options.decoder_activation = DecoderActivation::none;
  options.text_share = 0.25;
  expect_copies(*filled(options));
}

TEST(Cmvae, EveryParameterGetsAGradient) {
  auto options = with_text();
  options.text_share = 1;
  expect_gradients(*filled(options), {});
  expect_gradients(*filled(small()), {});
}

TEST(Cmvae, GeneratedFeaturesDoNotPullAtTheClassEmbeddings) {
  // With decoders that generate nothing and no other term, the embeddings have no way to a lower
  // loss but to shrink the features, which must be closed.
  auto options = small();
  options.loss = {.divergence = 0, .match = 0};
  auto model = filled(options);
  {
    const torch::NoGradGuard no_grad;
    for (auto& item : model->named_parameters()) {
      if (item.key().find("decoder") != std::string::npos) item.value().zero_();
    }
  }
  model->loss(pairs()).total().backward();
  const auto gradient =
      model->named_parameters()["V_optic_embed.optic_displacement_embed.weight"].grad();
  EXPECT_TRUE(!gradient.defined() || gradient.abs().max().item<double>() == 0);
}

TEST(Cmvae, DrawsLatentsInTrainingOnly) {
  auto model = filled(small());
  EXPECT_TRUE(at::equal(model->loss(pairs()).total(), model->loss(pairs()).total()));
  model->train();
  const auto a = model->loss(pairs()), b = model->loss(pairs());
  for (size_t i = 0; i < a.values.size(); ++i) {
    const bool drawn = a.values[i].first.rfind("divergence", 0) != 0;  // needs no draw
    EXPECT_EQ(!at::equal(a.values[i].second, b.values[i].second), drawn) << a.values[i].first;
  }
}

TEST(Cmvae, ShowsTextToTheShareAskedFor) {
  // The film's divergence tells whether its text took part; it needs no draw of latents.
  const auto divergence = [](double share, bool training) {
    auto options = with_text();
    options.text_share = share;
    auto model = filled(options);
    model->train(training);
    return term(model->loss(pairs()), "divergence_video");
  };
  auto pictures = small();
  pictures.poe_prior = true;
  auto alone = filled(pictures);
  alone->train();
  EXPECT_NEAR(divergence(0, true), term(alone->loss(pairs()), "divergence_video"), 1e-6);
  EXPECT_GT(std::abs(divergence(1, true) - divergence(0, true)), 1e-3);
  EXPECT_EQ(divergence(0, false), divergence(1, false));  // in evaluation all is shown
}

TEST(Cmvae, FilmsOfOneTrackAreNoNegatives) {
  auto batch = pairs();
  batch.track_ids = torch::zeros({kItems}, torch::kLong);
  const auto terms = filled(small())->loss(batch);
  EXPECT_EQ(term(terms, "match_music"), 0);
  EXPECT_EQ(term(terms, "match_video"), 0);
}

TEST(Cmvae, ABatchOfOneHasNoGapsAndIsRefusedInTraining) {
  auto model = filled(small());
  data::PairBatch one;
  one.music = item(music(), 0);
  one.video = item(video(), 0);
  one.track_ids = torch::zeros({1}, torch::kLong);
  EXPECT_EQ(term(model->loss(one), "match_video"), 0);
  model->train();
  EXPECT_THROW(model->loss(one), InvalidArgument);
  EXPECT_THROW(filled(with_text())->loss(one), InvalidArgument);  // no text
}

TEST(Cmvae, LearnsOneBatchByHeart) {
  torch::manual_seed(3);
  auto options = small();
  options.latent_dim = 16;
  options.decoder_activation = DecoderActivation::none;
  options.loss.divergence = 0.01;
  Cmvae model(options);
  auto batch = pairs();
  batch.track_ids = torch::arange(kItems);
  torch::optim::Adam optimiser(model.parameters(), torch::optim::AdamOptions(1e-2));
  for (int step = 0; step < 200; ++step) {
    optimiser.zero_grad();
    model.loss(batch).total().backward();
    optimiser.step();
  }
  model.eval();
  const auto m = model.embed_music(batch.music).squeeze(1);
  const auto v = model.embed_video(batch.video).squeeze(1);
  EXPECT_GE(v.mm(m.t()).argmax(1).eq(torch::arange(kItems)).sum().item<int64_t>(), kItems - 1);
}

TEST(Cmvae, StatesInputsAndRefusesWrongOptions) {
  const auto published = make_matching_model({{"kind", "cmvae"}, {"text_dim", 768}});
  EXPECT_EQ(published->embedding_dim(), 128);
  EXPECT_EQ(published->inputs().text_dim, 768);
  EXPECT_FALSE(published->inputs().negatives);
  EXPECT_FALSE(make_matching_model({{"kind", "cmvae"}})->embed_text(pairs().text).has_value());
  expect_refused({{"kind", "cmvae"}, {"latent", 5}}, "latent_dim");
  expect_refused({{"kind", "cmvae"}, {"latent_dim", 0}}, "latent_dim");
  expect_refused({{"kind", "cmvae"}, {"text_share", 2.0}}, "text_share");
  expect_refused({{"kind", "cmvae"}, {"decoder_activation", "rel"}}, "relu");
  expect_refused({{"kind", "cmvae"}, {"loss", {{"matching", "gap"}}}}, "gap_max");
  expect_refused({{"kind", "cmvae"}, {"loss", {{"match", 0}, {"reconstruct", 0}}}}, "both 0");
}

}  // namespace
}  // namespace vmr::model
