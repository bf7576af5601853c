// Pins RelativeAttention: its scores against the formula written out as loops, in both modes.
#include "vmr/nn/relative_attention.h"

#include "nn/formula_weights.h"
#include "vmr/nn/positional_table.h"

namespace vmr::nn {
namespace {

using namespace vmr::test;

// One head, so that every step of the formula is visible.
at::Tensor by_formula(RelativeAttention& net, const at::Tensor& x) {
  const torch::NoGradGuard no_grad;
  const auto time = x.size(0), dim = x.size(1);
  const auto q = net->query_proj(x), k = net->key_proj(x), value = net->value_proj(x);
  const auto u = net->u_bias[0], v = net->v_bias[0];
  const bool wraps = net->options.positions() == RelPosMode::ut_cmvmr;
  const auto r = net->pos_proj(net->table(time, x));
  auto scores = torch::zeros({time, time});
  for (int64_t i = 0; i < time; ++i) {
    for (int64_t j = 0; j < time; ++j) {
      at::Tensor position = torch::zeros({});
      if (!wraps) {
        position = (q[i] + v).dot(r[time - 1 - (i - j)]);
      } else if (j <= i) {
        position = (q[i] + v).dot(r[time - 1 - (i - j)]);
      } else if (j >= i + 2) {
        position = (q[i + 1] + v).dot(r[j - i - 2]);
      }
      scores[i][j] = ((q[i] + u).dot(k[j]) + position) / std::sqrt(double(dim));
    }
  }
  return net->out_proj(torch::softmax(scores, 1).mm(value));
}

class RelativeAttentionModes : public testing::TestWithParam<RelPosMode> {};

TEST_P(RelativeAttentionModes, FollowsTheFormula) {
  RelativeAttention net(RelativeAttentionOptions(6, 1).positions(GetParam()));
  fill_by_formula(*net);
  net->eval();
  const auto x = formula_values("x", {1, 5, 6});
  expect_near(net(x, net->table(5, x)).squeeze(0), by_formula(net, x[0]), 1e-5);
}

TEST_P(RelativeAttentionModes, ScalesByTheHeadWidthWhereAsked) {
  // Queries half as large against the other scale: 4 heads of width 4, sqrt(16) = 2 sqrt(4).
  RelativeAttention model(RelativeAttentionOptions(16, 4).positions(GetParam()));
  RelativeAttention head(
      RelativeAttentionOptions(16, 4).positions(GetParam()).scale_by(ScoreScale::head));
  fill_by_formula(*model);
  fill_by_formula(*head);
  const torch::NoGradGuard no_grad;
  for (auto tensor :
       {head->query_proj->weight, head->query_proj->bias, head->u_bias, head->v_bias}) {
    tensor.mul_(0.5);
  }
  model->eval();
  head->eval();
  const auto x = formula_values("x", {2, 5, 16});
  expect_near(head(x, head->table(5, x)), model(x, model->table(5, x)), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Both, RelativeAttentionModes,
                         testing::Values(RelPosMode::ut_cmvmr, RelPosMode::transformer_xl));

TEST(RelativeAttention, ClonesSavesAndGivesEveryParameterAGradient) {
  const auto x = formula_values("x", {2, 5, 8});
  RelativeAttention net(RelativeAttentionOptions(8, 2));
  fill_by_formula(*net);
  expect_clones_saves_and_learns(net, RelativeAttention(RelativeAttentionOptions(8, 2)),
                                 [&](RelativeAttention a) { return a(x, a->table(5, x)); });
}

TEST(PositionalTable, HoldsSinesAndCosines) {
  const auto table = sinusoid_table(3, 4, torch::zeros({1}));
  expect_near(table,
              torch::tensor({{0.0, 1.0, 0.0, 1.0},
                             {std::sin(1.0), std::cos(1.0), std::sin(0.01), std::cos(0.01)},
                             {std::sin(2.0), std::cos(2.0), std::sin(0.02), std::cos(0.02)}}),
              1e-6);
  const auto relative = relative_sinusoid_table(3, 4, torch::zeros({1}));
  expect_near(relative.narrow(0, 0, 3), table.flip(0), 1e-6);
  EXPECT_NEAR(relative[4][0].item<double>(), -std::sin(2.0), 1e-6);
  EXPECT_NEAR(relative[4][1].item<double>(), std::cos(2.0), 1e-6);
  EXPECT_EQ(sinusoid_table(2, 3, torch::zeros({1})).size(1), 3);
}

}  // namespace
}  // namespace vmr::nn
