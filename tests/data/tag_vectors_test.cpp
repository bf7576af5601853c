// Pins the formula of tag vectors bit for bit, their independence of each other, and their norm.
#include "vmr/data/tag_vectors.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "vmr/core/error.h"

namespace vmr::data {
namespace {

TEST(FormulaTagVectors, HasTheBitsOfTheFormula) {
  // Sums of signs from tests/golden/make_tag_vectors.py.
  const auto vectors = formula_tag_vectors({"calm"}, 4, 7);
  const auto sums = at::tensor({-12, -18, 4, -10}, at::kDouble);
  const auto expected = (sums / std::sqrt(144.0 + 324 + 16 + 100)).to(at::kFloat);
  EXPECT_TRUE(at::equal(vectors.vectors[0], expected)) << vectors.vectors;
}

TEST(FormulaTagVectors, SortsAndMergesTagsWithoutMovingAnyVector) {
  const auto few = formula_tag_vectors({"rock", "calm"}, 32, 1);
  const auto many = formula_tag_vectors({"jazz", "rock", "calm", "rock", ""}, 32, 1);
  EXPECT_EQ(many.tags, (std::vector<std::string>{"", "calm", "jazz", "rock"}));
  EXPECT_TRUE(at::equal(few.vectors[0], many.vectors[1]));
  EXPECT_TRUE(at::equal(few.vectors[1], many.vectors[3]));
  EXPECT_EQ(many.find("jazz"), 2);
  EXPECT_EQ(many.find("Jazz"), std::nullopt);
  EXPECT_FALSE(at::equal(few.vectors, formula_tag_vectors(few.tags, 32, 2).vectors));
}

TEST(FormulaTagVectors, AreUnitVectorsInSpreadDirections) {
  std::vector<std::string> tags;
  for (int i = 0; i < 200; ++i) tags.push_back("tag " + std::to_string(i));
  const auto vectors = formula_tag_vectors(tags).vectors.to(at::kDouble);
  EXPECT_LT((vectors.norm(2, 1) - 1).abs().max().item<double>(), 1e-6);
  // Off-diagonal dot products: mean 0, standard deviation 1/sqrt(768) = 0.0361.
  const auto dots = vectors.mm(vectors.t()) - at::eye(200, at::kDouble);
  EXPECT_NEAR(dots.sum().item<double>() / (200 * 199), 0, 0.001);
  EXPECT_NEAR(std::sqrt(dots.square().sum().item<double>() / (200 * 199)), 0.0361, 0.0004);
  // Components of a Gaussian: fourth moment over squared variance is 3 (here 3 - 2/256).
  const auto kurtosis = vectors.pow(4).mean() / vectors.square().mean().square();
  EXPECT_NEAR(kurtosis.item<double>(), 2.99, 0.05);
}

TEST(TagVectors, RefusesUnsortedTagsAndBadRows) {
  EXPECT_THROW(formula_tag_vectors({"a"}, 0), InvalidArgument);
  EXPECT_THROW(validate(TagVectors{{"b", "a"}, at::ones({2, 3})}), InvalidArgument);
  EXPECT_THROW(validate(TagVectors{{"a", "a"}, at::ones({2, 3})}), InvalidArgument);
  EXPECT_THROW(validate(TagVectors{{"a", "b"}, at::ones({1, 3})}), InvalidArgument);
  EXPECT_THROW(validate(TagVectors{{"a"}, at::full({1, 3}, NAN)}), InvalidArgument);
  EXPECT_NO_THROW(validate(TagVectors{}));
}

}  // namespace
}  // namespace vmr::data
