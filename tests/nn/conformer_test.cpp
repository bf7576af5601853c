// Pins Conformer: the reference's outputs and keys in both position modes, independence of padding
// and batch, clone, save, gradients, options.
#include "vmr/nn/conformer.h"

#include "nn/formula_weights.h"
#include "vmr/core/error.h"
#include "vmr/nn/initialise.h"

namespace vmr::nn {
namespace {

using namespace vmr::test;

ConformerOptions small() { return ConformerOptions(20, 5).dim(16).layers(2).heads(4).kernel(7); }

Conformer filled(const ConformerOptions& options) {
  Conformer net(options);
  fill_by_formula(*net);
  return net;
}

at::Tensor input() { return formula_values("input", {3, 47, 20}); }

TEST(Conformer, GivesTheReferencesEmbeddingAndLogits) {
  const auto expected = golden("nn/conformer.json");
  auto net = filled(small());
  net->eval();
  expect_golden(net->embed(input()), expected["embedding"]);
  expect_golden(net(input()), expected["logits"]);
  EXPECT_EQ(state_keys(*net), expected["keys"].get<std::vector<std::string>>());
}

TEST(Conformer, UsesBatchStatisticsInTrainingAsTheReference) {
  auto net = filled(small());
  set_dropout(*net, 0);
  expect_golden(net->embed(input()), golden("nn/conformer.json")["training_embedding"]);
}

TEST(Conformer, GivesTheTransformerXlFormsEmbedding) {
  auto net = filled(small().positions(RelPosMode::transformer_xl).scale_by(ScoreScale::head));
  net->eval();
  expect_golden(net->embed(input()), golden("nn/conformer.json")["transformer_xl_embedding"]);
}

class ConformerPadding : public testing::TestWithParam<RelPosMode> {};

TEST_P(ConformerPadding, DoesNotChangeRealOutputs) {
  auto net = filled(small().positions(GetParam()));
  const std::vector<int64_t> lengths = {47, 31, 7};
  auto padded = input();
  auto mask = torch::zeros({3, 47}, torch::kBool);
  for (int64_t i = 0; i < 3; ++i) {
    mask[i].narrow(0, 0, lengths[i]).fill_(true);
    padded[i].narrow(0, lengths[i], 47 - lengths[i]).fill_(std::nanf(""));
  }
  net->eval();
  const auto together = net->embed(padded, mask);
  for (int64_t i = 0; i < 3; ++i) {
    const auto alone = net->embed(input().narrow(0, i, 1).narrow(1, 0, lengths[i]));
    expect_near(together.narrow(0, i, 1), alone, 1e-5);
  }
  // In training the statistics are those of real steps: more padding changes nothing.
  set_dropout(*net, 0);
  net->train();
  const auto longer = at::constant_pad_nd(padded, {0, 0, 0, 16}, 3.0);
  const auto longer_mask = at::constant_pad_nd(mask, {0, 16}, 0);
  expect_near(net->embed(longer, longer_mask), net->embed(padded, mask), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(BothPositionModes, ConformerPadding,
                         testing::Values(RelPosMode::ut_cmvmr, RelPosMode::transformer_xl));

TEST(Conformer, MasksWithoutPaddingChangeNothing) {
  auto net = filled(small());
  set_dropout(*net, 0);
  const auto mask = torch::ones({3, 47}, torch::kBool);
  expect_near(net->embed(input(), mask), net->embed(input()), 1e-5);  // batch norm in training
  net->eval();
  expect_near(net->embed(input(), mask), net->embed(input()), 1e-5);
}

TEST(Conformer, EmbedsAnItemAloneAsInABatch) {
  auto net = filled(small());
  net->eval();
  const auto all = net->embed(input());
  for (int64_t i = 0; i < 3; ++i) {
    expect_near(all.narrow(0, i, 1), net->embed(input().narrow(0, i, 1)), 1e-6);
  }
}

TEST(Conformer, ClonesSavesAndGivesEveryParameterAGradient) {
  expect_clones_saves_and_learns(filled(small()), Conformer(small()),
                                 [](Conformer net) { return net(input()); });
}

TEST(Conformer, ScalesPixels) {
  auto plain = filled(small()), scaled = filled(small().input_scale(1.0 / 255));
  plain->eval();
  scaled->eval();
  const auto pixels = ((input() + 1) * 127).to(torch::kByte);
  expect_near(scaled->embed(pixels), plain->embed(pixels.to(torch::kFloat) / 255), 1e-5);
}

TEST(Conformer, HasThePublishedSize) {
  EXPECT_EQ(conformer_steps(398), 98);
  EXPECT_EQ(conformer_steps(224), 55);
  EXPECT_EQ(conformer_steps(7), 1);
  EXPECT_EQ(conformer_steps(6), 0);
  // Convolutions 2.36 M, joining layer 4.98 M, six blocks of 6.32 M, head 0.34 M.
  EXPECT_EQ(count_parameters(*Conformer(ConformerOptions(80, 663))), 45624832);
}

TEST(Conformer, RefusesWhatItCannotDo) {
  EXPECT_THROW(Conformer(small().heads(3)), InvalidArgument);
  EXPECT_THROW(Conformer(small().kernel(8)), InvalidArgument);
  EXPECT_THROW(Conformer(small().conv_dropout(1.0)), InvalidArgument);
  EXPECT_THROW(Conformer(ConformerOptions(6, 5)), InvalidArgument);
  auto net = filled(small());
  EXPECT_THROW(net(torch::zeros({2, 47, 21})), InvalidArgument);
  EXPECT_THROW(net(torch::zeros({2, 6, 20})), InvalidArgument);
  auto mask = torch::ones({3, 47}, torch::kBool);
  mask[1].narrow(0, 6, 41).fill_(false);
  EXPECT_THROW(net(input(), mask), InvalidArgument);
  EXPECT_THROW(net(input(), torch::ones({3, 47})), InvalidArgument);
}

}  // namespace
}  // namespace vmr::nn
