// Pins sums of shifted rows against sums one at a time in double, at counts around the tile.
#include "retrieval/shifted_sums.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace vmr::retrieval::detail {
namespace {

std::vector<float> noise(size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> value(-1, 1);
  std::vector<float> values(count);
  for (float& each : values) each = value(generator);
  return values;
}

TEST(ShiftedSums, AWorkedExample) {
  const std::vector<float> weights = {2, -1}, row = {1, 2, 3, 4, 5};
  const std::vector<size_t> shifts = {3, 0};
  float sums[2];
  shifted_sums(weights.data(), shifts.data(), 2, row.data(), sums, 2);
  EXPECT_EQ(sums[0], 2 * 4 - 1);
  EXPECT_EQ(sums[1], 2 * 5 - 2);
}

TEST(ShiftedSums, EveryCountIsTheSumOfItsTerms) {
  const auto row = noise(400, 1), weights = noise(37, 2);
  std::vector<size_t> shifts;
  for (size_t i = 0; i < weights.size(); ++i) shifts.push_back(i * 89 % 250);
  for (const size_t count : {1, 31, 32, 33, 64, 150}) {
    std::vector<float> sums(count, 99.0f);
    shifted_sums(weights.data(), shifts.data(), weights.size(), row.data(), sums.data(), count);
    for (size_t k = 0; k < count; ++k) {
      double expected = 0;
      for (size_t i = 0; i < shifts.size(); ++i) {
        expected += double(weights[i]) * double(row[shifts[i] + k]);
      }
      EXPECT_NEAR(sums[k], expected, 1e-5) << count << " " << k;
    }
  }
}

TEST(ShiftedSums, LongProductsKeepTheirDigits) {
  // A large mean, as of loudness: float alone would lose the small differences.
  auto row = noise(7000, 3), weights = noise(5000, 4);
  for (float& value : row) value = 100 + value;
  for (float& value : weights) value = 1 + 0.01f * value;
  const auto products = sliding_products(weights, row.data(), 2000);
  ASSERT_EQ(products.size(), 2000u);
  for (size_t k = 0; k < products.size(); k += 37) {
    double expected = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
      expected += double(weights[i]) * double(row[i + k]);
    }
    EXPECT_NEAR(products[k], expected, 1e-6 * expected);
  }
}

}  // namespace
}  // namespace vmr::retrieval::detail
