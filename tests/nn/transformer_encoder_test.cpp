// Pins TransformerEncoder, the pair attention built on it and masked_mean: the reference's outputs
// and keys, padding, the short cuts against the long way.
#include "vmr/nn/transformer_encoder.h"

#include "nn/formula_weights.h"
#include "vmr/core/error.h"
#include "vmr/nn/cross_attention.h"
#include "vmr/nn/masked_mean.h"

namespace vmr::nn {
namespace {

using namespace vmr::test;

TransformerEncoderOptions small() {
  return TransformerEncoderOptions(12, 8).layers(2).heads(3).head_width(2).feed_forward(10);
}

TransformerEncoder filled(const TransformerEncoderOptions& options) {
  TransformerEncoder net(options);
  fill_by_formula(*net);
  net->eval();
  return net;
}

at::Tensor sequence() { return formula_values("sequence", {2, 5, 12}); }

TEST(TransformerEncoder, GivesTheReferencesOutput) {
  const auto expected = golden("nn/parts.json");
  auto net = filled(small());
  expect_golden(net(sequence()), expected["transformer"]);
  EXPECT_EQ(state_keys(*net), expected["transformer_keys"].get<std::vector<std::string>>());
}

TEST(TransformerEncoder, ShortCutsGiveWhatForwardGives) {
  auto net = filled(small());
  const auto all = net(sequence());
  expect_near(net->mean(sequence()), all.mean(1), 1e-5);
  for (int64_t i = 0; i < 5; ++i) expect_near(net->row(sequence(), i), all.select(1, i), 1e-5);
  EXPECT_THROW(net->row(sequence(), 5), InvalidArgument);
}

TEST(TransformerEncoder, PaddingDoesNotChangeRealOutputs) {
  auto net = filled(small());
  auto padded = sequence();
  auto mask = torch::ones({2, 5}, torch::kBool);
  mask[1].narrow(0, 3, 2).fill_(false);
  padded[1].narrow(0, 3, 2).fill_(std::nanf(""));
  const auto alone = sequence().narrow(0, 1, 1).narrow(1, 0, 3);
  expect_near(net(padded, mask)[1].narrow(0, 0, 3), net(alone)[0], 1e-5);
  expect_near(net->mean(padded, mask)[1], net(alone)[0].mean(0), 1e-5);
  expect_near(net(padded, mask)[0], net(sequence())[0], 1e-6);
}

TEST(TransformerEncoder, ClonesSavesAndGivesEveryParameterAGradient) {
  expect_clones_saves_and_learns(filled(small()), TransformerEncoder(small()),
                                 [](TransformerEncoder net) { return net(sequence()); });
}

TEST(TransformerEncoder, TrainingDiffersByDropoutOnly) {
  auto net = filled(small().dropout(0.5));
  const auto expected = net(sequence());
  net->train();
  EXPECT_FALSE(at::allclose(net(sequence()), expected));
  set_dropout(*net, 0);
  expect_near(net(sequence()), expected, 1e-6);
}

TEST(TransformerEncoder, DrawsThePublishedInitialValues) {
  torch::manual_seed(5);
  TransformerEncoder net(TransformerEncoderOptions(200, 8).feed_forward(400));
  const auto state = net->named_parameters();
  const auto wide = state["layers.0.1.fn.net.0.weight"];  // fan-in 200: deviation 0.1
  EXPECT_NEAR(wide.std().item<double>(), 0.1, 0.001);
  EXPECT_EQ(state["layers.0.1.fn.net.0.bias"].min().item<float>(), 0.01f);
  TransformerEncoder other(TransformerEncoderOptions(200, 8).feed_forward(400).initialisation(
      Initialisation::xavier_normal));
  // sqrt(2 / 600)
  EXPECT_NEAR(other->named_parameters()["layers.0.1.fn.net.0.weight"].std().item<double>(), 0.05774,
              0.0006);
}

TEST(CrossAttention, AddsWhatEachSideSees) {
  auto net = filled(TransformerEncoderOptions(12, 12).head_width(4).feed_forward(10));
  const auto positions = formula_values("positions", {2, 12});
  const auto first = formula_values("first", {3, 12}), second = formula_values("second", {3, 12});
  const auto [f, s] = attend_pair(net, positions, first, second);
  const auto out = net(torch::stack({first + positions[0], second + positions[1]}, 1));
  expect_near(f, first + out.select(1, 0), 1e-6);
  expect_near(s, second + out.select(1, 1), 1e-6);
  // Alone: the partner is one vector for all rows.
  const auto null = formula_values("null", {12});
  const auto nulls = null.expand({3, 12});
  expect_near(attend_alone(net, positions, first, null, 0),
              attend_pair(net, positions, first, nulls).first, 1e-6);
  expect_near(attend_alone(net, positions, second, null, 1),
              attend_pair(net, positions, nulls, second).second, 1e-6);
  EXPECT_THROW(attend_pair(net, positions, first, second.narrow(0, 0, 2)), InvalidArgument);
}

TEST(MaskedMean, DividesByRealSteps) {
  const auto values = torch::tensor({1.0, 10.0, 2.0, 20.0, 6.0, 60.0}).view({1, 3, 2});
  auto mask = torch::ones({1, 3}, torch::kBool);
  expect_near(masked_mean(values, mask), torch::tensor({{3.0, 30.0}}));
  expect_near(masked_mean(values), torch::tensor({{3.0, 30.0}}));
  mask[0][2] = false;
  auto hidden = values.clone();
  hidden[0][2].fill_(std::nanf(""));
  expect_near(masked_mean(hidden, mask), torch::tensor({{1.5, 15.0}}));
}

}  // namespace
}  // namespace vmr::nn
