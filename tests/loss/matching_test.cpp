// Pins matching_rows, matching_cross_entropy and soft_structure: hand-worked values, gradients,
// batch of one.
#include "vmr/loss/matching.h"

#include <cmath>

#include "loss/gradient_check.h"
#include "vmr/core/error.h"
#include "vmr/loss/structure.h"

namespace vmr::loss {
namespace {

using test::doubles;

TEST(MatchingRows, PutsTruePairsFirst) {
  const auto rows = matching_rows(doubles({1, 2}, {2, 1}), doubles({3, 4}, {2, 1}),
                                  doubles({5, 6}, {2, 1}), doubles({7, 8}, {2, 1}));
  EXPECT_TRUE(at::equal(rows, doubles({1, 3, 2, 4, 1, 7, 2, 8, 5, 3, 6, 4}, {6, 2})));
  EXPECT_THROW(matching_rows(rows, rows, rows, rows.narrow(0, 0, 1)), InvalidArgument);
}

TEST(MatchingCrossEntropy, IsTheMeanOverAllRows) {
  // Row 0 should match: -ln e^2 / (1 + e^2); row 1 should not: -ln 1 / (1 + e); row 2: ln 2.
  const auto result = matching_cross_entropy(doubles({0, 2, 0, 1, 0, 0}, {3, 2}), 1);
  EXPECT_NEAR(result.loss.item<double>(),
              (std::log1p(std::exp(-2)) + std::log1p(std::exp(1)) + std::log(2.0)) / 3, 1e-12);
  // Right, wrong, and a tie that argmax gives to class 0.
  EXPECT_NEAR(result.accuracy.item<double>(), 2.0 / 3, 1e-12);
  const auto one = matching_cross_entropy(doubles({0, 0}, {1, 2}), 1);
  EXPECT_NEAR(one.loss.item<double>(), std::log(2.0), 1e-12);
}

TEST(MatchingCrossEntropy, HasTheGradientOfItsValue) {
  test::expect_gradients([](const auto& x) { return matching_cross_entropy(x[0], 2).loss; },
                         {doubles({0, 2, 0.5, 1, 0, -0.3}, {3, 2})});
  EXPECT_THROW(matching_cross_entropy(doubles({0, 2, 3}, {1, 3}), 1), InvalidArgument);
  EXPECT_THROW(matching_cross_entropy(doubles({0, 2}, {1, 2}), 2), InvalidArgument);
}

TEST(SoftStructure, CountsNeighboursInTheWrongOrder) {
  // Angles 0, 30, 80 degrees in the low space. With all three items, rows 0 and 1 against columns
  // 0 and 1: steps -1 + cos 30 < 0 and -cos 30 + 1 > 0.
  const auto turn = [](std::vector<double> degrees) {
    auto rows = at::empty({int64_t(degrees.size()), 2}, at::kDouble);
    for (size_t i = 0; i < degrees.size(); ++i) {
      rows[i][0] = 2.0 * std::cos(degrees[i] * M_PI / 180);  // lengths do not matter
      rows[i][1] = 2.0 * std::sin(degrees[i] * M_PI / 180);
    }
    return rows;
  };
  const auto low = turn({0, 30, 80});
  EXPECT_EQ(soft_structure(low, turn({0, 5, 7})).item<double>(), 0.0);
  // Items 0 and 1 coincide with weight on neither: embedded steps 0 and 0 cost nothing.
  EXPECT_NEAR(soft_structure(low, turn({10, 10, 7})).item<double>(), 0.0, 1e-12);
  // Four items; the embedding exchanges items 1 and 2. Row 0 then has its neighbours 1 and 2 in the
  // wrong order (30 before 50 against 50 before 30), rows 1 and 2 keep theirs; 3 rows x 2 steps.
  const double c30 = std::cos(M_PI / 6), c50 = std::cos(M_PI / 3.6);
  EXPECT_NEAR(soft_structure(turn({0, 30, 50, 90}), turn({0, 50, 30, 90})).item<double>(),
              2 * (c30 - c50) / 6, 1e-12);
  // A window of three sees two rows and one column step: 0 -> 1 or 1 -> 2. Only that of row 0 from
  // 1 to 2 costs.
  for (const int64_t row : {0, 1}) {
    for (const int64_t column : {0, 1}) {
      const auto loss = soft_structure(turn({0, 30, 50, 90}), turn({0, 50, 30, 90}),
                                       {.window = 3, .row_offset = row, .column_offset = column});
      EXPECT_NEAR(loss.item<double>(), row == 0 && column == 1 ? c30 - c50 : 0, 1e-12)
          << row << " " << column;
    }
  }
}

TEST(SoftStructure, HasTheGradientOfItsValue) {
  const auto low = doubles({1, 0, 0.9, 0.5, 0.2, 1, 0.1, -0.4}, {4, 2});
  test::expect_gradients([&](const auto& x) { return soft_structure(low, x[0]); },
                         {doubles({0.3, 0.1, -0.2, 0.8, 0.5, 0.5, 0.9, 0.1}, {4, 2})});
  EXPECT_THROW(soft_structure(low.narrow(0, 0, 2), low.narrow(0, 0, 2)), InvalidArgument);
  EXPECT_THROW(soft_structure(low, low, {.row_offset = 1}), InvalidArgument);
}

}  // namespace
}  // namespace vmr::loss
