// Pins triplet_margin and mean_squares: hand-worked values, both hinge branches, gradients, batch
// of one; and Terms.
#include "vmr/loss/triplet.h"

#include "loss/gradient_check.h"
#include "vmr/core/error.h"
#include "vmr/loss/terms.h"

namespace vmr::loss {
namespace {

using test::doubles;

TEST(TripletMargin, IsTheMeanOfHinges) {
  // Distances 5 and 2: 3. Distances 1 and 4: -3, hinged to 0.
  const auto anchor = doubles({0, 0, 0, 0}, {2, 2});
  const auto positive = doubles({3, 4, 1, 0}, {2, 2});
  const auto negative = doubles({0, 2, 0, 4}, {2, 2});
  EXPECT_NEAR(triplet_margin(anchor, positive, negative).item<double>(), 1.5, 2e-6);
  EXPECT_NEAR(triplet_margin(anchor, positive, negative, {.margin = 3.5}).item<double>(),
              (6.5 + 0.5) / 2, 2e-6);
  // A batch of one, hinge closed.
  EXPECT_EQ(
      triplet_margin(anchor.slice(0, 1), positive.slice(0, 1), negative.slice(0, 1)).item<double>(),
      0.0);
}

TEST(TripletMargin, AddsItsEpsilonToEveryDifference) {
  const auto zero = doubles({0, 0, 0, 0}, {1, 4});
  // Equal rows lie 2 epsilon apart (4 dims); margin keeps the hinge open.
  const double near = 2 * 1e-3;
  EXPECT_NEAR(triplet_margin(zero, zero, zero + 1, {.margin = 3, .epsilon = 1e-3}).item<double>(),
              near - 2 * (1 - 1e-3) + 3, 1e-12);
}

TEST(TripletMargin, HasTheGradientOfItsValue) {
  test::expect_gradients(
      [](const auto& x) { return triplet_margin(x[0], x[1], x[2], {.margin = 0.3}); },
      {doubles({0.1, 0.2, -0.3, 0.5}, {2, 2}), doubles({1.0, 0.4, -0.2, 0.5}, {2, 2}),
       doubles({0.7, -0.4, 3.0, 3.0}, {2, 2})});
}

TEST(TripletMargin, RefusesUnequalShapes) {
  const auto a = doubles({0, 0, 0, 0}, {2, 2});
  EXPECT_THROW(triplet_margin(a, a, a.slice(0, 1)), InvalidArgument);
  EXPECT_THROW(triplet_margin(a.slice(0, 2), a.slice(0, 2), a.slice(0, 2)), InvalidArgument);
}

TEST(MeanSquares, SumsTheMeansOfPairs) {
  const auto value = mean_squares({{doubles({1, 3}, {1, 2}), doubles({0, 0}, {1, 2})},
                                   {doubles({2}, {1, 1}), doubles({0.5}, {1, 1})}});
  EXPECT_DOUBLE_EQ(value.item<double>(), 5 + 2.25);
  EXPECT_THROW(mean_squares({{doubles({1, 3}, {1, 2}), doubles({1}, {1, 1})}}), InvalidArgument);
  EXPECT_THROW(mean_squares({}), InvalidArgument);
}

TEST(MeanSquares, GivesBothSidesAGradient) {
  test::expect_gradients(
      [](const auto& x) {
        return mean_squares({{x[0], x[1]}});
      },
      {doubles({1, 3, -2}, {1, 3}), doubles({0.5, 0, 1}, {1, 3})});
}

TEST(Terms, TotalIsTheWeightedSum) {
  Terms terms;
  EXPECT_THROW(terms.total(), InvalidArgument);
  const auto x = doubles({2}, {1}).requires_grad_(true);
  terms.add("a", 3.0, x.sum());
  terms.add("b", 0.5, (x * x).sum());
  const auto total = terms.total();
  EXPECT_DOUBLE_EQ(total.item<double>(), 8.0);
  total.backward();
  EXPECT_DOUBLE_EQ(x.grad().item<double>(), 3 + 0.5 * 4);
}

}  // namespace
}  // namespace vmr::loss
