// Pins inter_modal_ranking: hand-worked values in both distances, hardest negatives, equal ids,
// gradients, batch of one.
#include "vmr/loss/ranking.h"

#include <cmath>

#include "loss/gradient_check.h"
#include "vmr/core/error.h"

namespace vmr::loss {
namespace {

using test::doubles;

// x the unit vectors, so that D_ij = -y_j[i].
at::Tensor axes() { return at::eye(3, at::kDouble); }
at::Tensor mixed() {
  return doubles({0.9, 0.5, 0.1,   // columns are x: D[:, 0] = -0.9, -0.5, -0.1
                  0.6, 0.8, 0.2,   // D[:, 1]
                  0.7, 0.3, 0.4},  // D[:, 2]
                 {3, 3});
}

TEST(InterModalRanking, IsTheMeanHingeOfBothDirections) {
  // Rows of D: (-.9 -.6 -.7), (-.5 -.8 -.3), (-.1 -.2 -.4). Margin 0.25, own -.9, -.8, -.4.
  // Rows: .25 - .9 + .7 = .05 (.6: 0); 0, 0; .05 against -.2, 0 against -.1.
  const auto terms = inter_modal_ranking(axes(), mixed(), {.margin = 0.25});
  EXPECT_NEAR(terms.x_to_y.item<double>(), (0.05 + 0.05) / 9, 1e-12);
  // Columns: (.5, .1 against .9): 0; (.6, .2 against .8): .05; (.7, .3 against .4): .55, .15.
  EXPECT_NEAR(terms.y_to_x.item<double>(), (0.05 + 0.55 + 0.15) / 9, 1e-12);
}

TEST(InterModalRanking, TakesTheHardestNegatives) {
  const auto terms = inter_modal_ranking(axes(), mixed(), {.margin = 0.25, .top = 1});
  EXPECT_NEAR(terms.x_to_y.item<double>(), (0.05 + 0 + 0.05) / 3, 1e-12);
  EXPECT_NEAR(terms.y_to_x.item<double>(), (0 + 0.05 + 0.55) / 3, 1e-12);
}

TEST(InterModalRanking, DoesNotPunishTheSameTrack) {
  const auto ids = at::tensor({7, 8, 7}, at::kLong);
  const auto terms = inter_modal_ranking(axes(), mixed(), {.margin = 0.25}, ids);
  // Pairs (0, 2) and (2, 0) are the same track: their .05 and .55 go.
  EXPECT_NEAR(terms.x_to_y.item<double>(), 0.05 / 9, 1e-12);
  EXPECT_NEAR(terms.y_to_x.item<double>(), (0.05 + 0.15) / 9, 1e-12);
}

TEST(InterModalRanking, CanLeaveMaskedPairsOutOfTheMean) {
  const RankingOptions real{.margin = 0.25, .count_masked = false};
  // Two negatives a row: six hinges instead of nine.
  EXPECT_NEAR(inter_modal_ranking(axes(), mixed(), real).y_to_x.item<double>(),
              (0.05 + 0.55 + 0.15) / 6, 1e-12);
  // The same track as pairs (0, 2) and (2, 0): rows 0 and 2 have one negative, row 1 two.
  const auto ids = at::tensor({7, 8, 7}, at::kLong);
  const auto terms = inter_modal_ranking(axes(), mixed(), real, ids);
  EXPECT_NEAR(terms.x_to_y.item<double>(), 0.05 / 4, 1e-12);
  EXPECT_NEAR(terms.y_to_x.item<double>(), (0.05 + 0.15) / 4, 1e-12);
  // The hardest one of each row.
  EXPECT_NEAR(
      inter_modal_ranking(axes(), mixed(), {.margin = 0.25, .top = 1, .count_masked = false})
          .y_to_x.item<double>(),
      (0 + 0.05 + 0.55) / 3, 1e-12);
  const auto one = axes().narrow(0, 0, 1);
  EXPECT_EQ(inter_modal_ranking(one, one, real).x_to_y.item<double>(), 0.0);
}

TEST(InterModalRanking, MeasuresEuclideanDistances) {
  const auto x = doubles({0, 0, 3, 0}, {2, 2}), y = doubles({0, 1, 0, 0}, {2, 2});
  // D = (1, 0), (sqrt 10, 3); rows: 1 - 0 and 0; columns: 0, 3 - 0.
  const auto terms = inter_modal_ranking(x, y, {.distance = Distance::l2});
  EXPECT_NEAR(terms.x_to_y.item<double>(), 1.0 / 4, 1e-5);
  EXPECT_NEAR(terms.y_to_x.item<double>(), 3.0 / 4, 1e-5);
}

TEST(InterModalRanking, HasNoGradientWhereADistanceIsZero) {
  // The first film lies on its track, but for the published 1e-6.
  auto x = doubles({0, 0, 3, 0}, {2, 2}).requires_grad_(true);
  const auto y = doubles({1e-6, 1e-6, 0, 1}, {2, 2});
  const auto terms = inter_modal_ranking(x, y, {.margin = 2, .distance = Distance::l2});
  // Rows: 2 + 0 - 1 and 2 + sqrt 10 - 3.
  EXPECT_NEAR(terms.x_to_y.item<double>(), (1 + std::sqrt(10.0) - 1) / 4, 1e-5);
  terms.x_to_y.backward();
  const auto gradient = x.grad();
  // Only the distance of 1 to the other track moves the first film: by -(0, -1) / 4.
  EXPECT_TRUE(at::allclose(gradient[0], doubles({0, 0.25}, {2}), 0, 1e-5)) << gradient;
}

TEST(InterModalRanking, IsZeroForABatchOfOne) {
  const auto one = axes().narrow(0, 0, 1);
  const auto terms = inter_modal_ranking(one, one, {.margin = 0.5});
  EXPECT_EQ(terms.x_to_y.item<double>(), 0.0);
  EXPECT_EQ(terms.y_to_x.item<double>(), 0.0);
}

TEST(InterModalRanking, HasTheGradientOfItsValue) {
  for (const auto distance : {Distance::cosine, Distance::l2}) {
    for (const int64_t top : {1, 2, 1024}) {
      test::expect_gradients(
          [&](const auto& x) {
            const auto t =
                inter_modal_ranking(x[0], x[1], {.margin = 0.25, .top = top, .distance = distance});
            return t.x_to_y + 0.5 * t.y_to_x;
          },
          {axes() * 1.1, mixed()});
    }
  }
}

TEST(InterModalRanking, RefusesWhatItCannotDo) {
  EXPECT_THROW(inter_modal_ranking(axes(), mixed().narrow(0, 0, 2)), InvalidArgument);
  EXPECT_THROW(inter_modal_ranking(axes(), mixed(), {.top = 0}), InvalidArgument);
  EXPECT_THROW(inter_modal_ranking(axes(), mixed(), {}, at::zeros({2}, at::kLong)),
               InvalidArgument);
}

}  // namespace
}  // namespace vmr::loss
