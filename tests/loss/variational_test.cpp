// Pins the variational terms: hand-worked values, PyTorch's divergence and a plain loop over
// experts and gaps (golden), both hinge branches, equal ids, gradients, batch of one.
#include "vmr/loss/variational.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "loss/gradient_check.h"
#include "vmr/core/error.h"

namespace vmr::loss {
namespace {

using test::doubles;

nlohmann::json golden() {
  std::ifstream in(VMR_TEST_DATA "/baselines.json");
  EXPECT_TRUE(in);
  return nlohmann::json::parse(in).at("losses");
}

at::Tensor tensor(const nlohmann::json& listed) {
  return doubles(listed.at("values").get<std::vector<double>>(),
                 listed.at("shape").get<std::vector<int64_t>>());
}

void expect_close(const at::Tensor& got, const nlohmann::json& want) {
  const auto expected = tensor(want);
  ASSERT_EQ(got.sizes(), expected.sizes());
  EXPECT_LT((got - expected).abs().max().item<double>(), 1e-9);
}

Gaussian narrow() {
  return {doubles({1, -2, 0.5, 0.3}, {2, 2}), doubles({0.2, -1, 0, 0.7}, {2, 2})};
}
Gaussian wide() { return {doubles({-1, 1, 2, 0.1}, {2, 2}), doubles({1, 0.4, -0.3, 0.9}, {2, 2})}; }

TEST(Divergence, EqualsTheWorkedCasesAndPyTorch) {
  const auto zero = doubles({0, 0}, {1, 2});
  EXPECT_NEAR(divergence_from_prior({doubles({1, 2}, {1, 2}), zero}).item<double>(), 2.5, 1e-12);
  EXPECT_EQ(divergence_from_prior({zero, zero}).item<double>(), 0.0);
  // Variance 4: (4 - 1 - ln 4) / 2. The mean over rows, the sum over dims.
  const double spread = (3 - std::log(4.0)) / 2;
  EXPECT_NEAR(divergence_from_prior({doubles({0, 0, 1, 2}, {2, 2}),
                                     doubles({std::log(4.0), std::log(4.0), 0, 0}, {2, 2})})
                  .item<double>(),
              (2 * spread + 2.5) / 2, 1e-12);
  const auto g = golden();
  EXPECT_NEAR(divergence_from_prior({tensor(g.at("mean_a")), tensor(g.at("log_variance_a"))})
                  .item<double>(),
              g.at("divergence").get<double>(), 1e-9);
}

TEST(Sample, IsTheMeanPlusTheDeviationTimesTheNoise) {
  const Gaussian g{doubles({1, -1}, {1, 2}), doubles({std::log(4.0), 0}, {1, 2})};
  const auto z = sample(g, doubles({0.5, -2}, {1, 2}));
  EXPECT_NEAR(z[0][0].item<double>(), 1 + 2 * 0.5, 1e-12);
  EXPECT_NEAR(z[0][1].item<double>(), -3, 1e-12);
  EXPECT_THROW(sample(g, doubles({0}, {1, 1})), InvalidArgument);
}

TEST(ProductOfExperts, WeighsBySureness) {
  // Means 1 and 4 of variances 1 and 1/2: precision 3 and mean (1 + 8) / 3; 4 and 9/4 with prior.
  const Expert one{{doubles({1}, {1, 1}), doubles({0}, {1, 1})}, {}};
  const Expert two{{doubles({4}, {1, 1}), doubles({-std::log(2.0)}, {1, 1})}, {}};
  const auto plain = product_of_experts({one, two}, false);
  EXPECT_NEAR(plain.mean.item<double>(), 3, 1e-12);
  EXPECT_NEAR(plain.log_variance.item<double>(), -std::log(3.0), 1e-12);
  const auto prior = product_of_experts({one, two}, true);
  EXPECT_NEAR(prior.mean.item<double>(), 2.25, 1e-12);
  EXPECT_NEAR(prior.log_variance.item<double>(), -std::log(4.0), 1e-12);
  // One expert without the prior is itself.
  const auto alone = product_of_experts({two}, false);
  EXPECT_NEAR(alone.mean.item<double>(), 4, 1e-12);
  EXPECT_NEAR(alone.log_variance.item<double>(), -std::log(2.0), 1e-12);
}

TEST(ProductOfExperts, LeavesAbsentViewsOut) {
  const auto g = golden();
  const Expert a{{tensor(g.at("mean_a")), tensor(g.at("log_variance_a"))}, {}};
  Expert b{{tensor(g.at("mean_b")), tensor(g.at("log_variance_b"))}, {}};
  const auto rows = a.belief.mean.size(0);
  b.present = at::arange(rows).remainder(2) == 0;
  for (const bool prior : {false, true}) {
    const auto& want = g.at(prior ? "experts_prior" : "experts");
    const auto got = product_of_experts({a, b}, prior);
    expect_close(got.mean, want.at("mean"));
    expect_close(got.log_variance, want.at("log_variance"));
  }
  b.present = at::zeros({rows}, at::kBool);
  EXPECT_THROW(product_of_experts({b}, false), InvalidArgument);
  EXPECT_TRUE(at::equal(product_of_experts({b}, true).mean, at::zeros_like(b.belief.mean)));
  EXPECT_THROW(product_of_experts({}, true), InvalidArgument);
  EXPECT_THROW(product_of_experts({a, {narrow(), {}}}, true), InvalidArgument);
}

// S = [[1, 0.98], [0, 1]].
at::Tensor two_x() { return doubles({1, 0, 0, 1}, {2, 2}); }
at::Tensor two_y() { return doubles({1, 0, 0.98, 1}, {2, 2}); }

TEST(GapMatching, EqualsTheWorkedCases) {
  const auto hinge = gap_matching(two_x(), two_y());
  EXPECT_NEAR(hinge.x_to_y.item<double>(), 0.03 / 2, 1e-12);  // the other row is far enough
  EXPECT_NEAR(hinge.y_to_x.item<double>(), 0.03 / 2, 1e-12);
  const auto gap = gap_matching(two_x(), two_y(), {.matching = GapMatching::gap_max});
  EXPECT_NEAR(gap.x_to_y.item<double>(), -0.95 / 2, 1e-12);  // the near row is not rewarded
  EXPECT_NEAR(gap.y_to_x.item<double>(), -0.95 / 2, 1e-12);
}

TEST(GapMatching, EqualsAPlainLoop) {
  const auto g = golden();
  const auto x = tensor(g.at("x")), y = tensor(g.at("y"));
  const auto ids = at::tensor(g.at("ids").get<std::vector<int64_t>>(), at::kLong);
  for (const auto& want : g.at("gaps")) {
    const GapOptions options{
        .matching = want.at("matching") == "hinge" ? GapMatching::hinge : GapMatching::gap_max,
        .margin = want.at("margin"),
        .top = want.at("top")};
    const auto got = gap_matching(x, y, options, want.at("ids") ? ids : at::Tensor());
    EXPECT_NEAR(got.x_to_y.item<double>(), want.at("x_to_y").get<double>(), 1e-9) << want;
    EXPECT_NEAR(got.y_to_x.item<double>(), want.at("y_to_x").get<double>(), 1e-9) << want;
  }
}

TEST(GapMatching, HasNothingToSayOfOneTrack) {
  for (const auto matching : {GapMatching::hinge, GapMatching::gap_max}) {
    const GapOptions options{.matching = matching};
    const auto one = gap_matching(two_x().narrow(0, 0, 1), two_y().narrow(0, 0, 1), options);
    EXPECT_EQ(one.x_to_y.item<double>(), 0.0);
    const auto same = gap_matching(two_x(), two_y(), options, at::tensor({4, 4}, at::kLong));
    EXPECT_EQ(same.y_to_x.item<double>(), 0.0);
  }
  EXPECT_THROW(gap_matching(two_x(), two_y().narrow(0, 0, 1)), InvalidArgument);
  EXPECT_THROW(gap_matching(two_x(), two_y(), {.matching = GapMatching::gap_max, .top = 0}),
               InvalidArgument);
}

TEST(Variational, HasTheGradientOfItsValue) {
  test::expect_gradients(
      [](const auto& x) {
        const auto product = product_of_experts(
            {{{x[0], x[1]}, at::tensor({1, 0}, at::kLong).to(at::kBool)}, {{x[2], x[3]}, {}}},
            true);
        const auto z = sample(product, doubles({0.3, -0.7, 1.1, 0.2}, {2, 2}));
        return divergence_from_prior(product) + z.square().sum();
      },
      {narrow().mean, narrow().log_variance, wide().mean, wide().log_variance}, 1e-6);
  const auto x = doubles({0.3, 0.9, -0.4, 0.5, 0.2, 0.1}, {3, 2});
  const auto y = doubles({0.5, 0.4, 0.1, 0.8, -0.3, 0.6}, {3, 2});
  for (const auto matching : {GapMatching::hinge, GapMatching::gap_max}) {
    for (const int64_t top : {1, 40}) {
      test::expect_gradients(
          [&](const auto& v) {
            const auto t = gap_matching(v[0], v[1], {.matching = matching, .top = top});
            return t.x_to_y + 0.5 * t.y_to_x;
          },
          {x, y});
    }
  }
}

}  // namespace
}  // namespace vmr::loss
