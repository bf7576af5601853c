// Pins exact search to a sort of all scores, ties and filters included, and its bits to one value
// for any instruction set, number of threads and batch.
#include "vmr/retrieval/search.h"

#include <ATen/core/Generator.h>
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "retrieval/dot_kernel.h"
#include "vmr/core/error.h"

namespace vmr::retrieval {
namespace {

using Answers = std::vector<std::vector<Neighbour>>;

at::Tensor floats(at::IntArrayRef shape, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  at::Tensor result = at::empty(shape, at::kFloat);
  for (int64_t i = 0; i < result.numel(); ++i) result.data_ptr<float>()[i] = normal(random);
  return result;
}

// Whole numbers of -2..2: every score is exact, and ties abound.
at::Tensor whole(at::IntArrayRef shape, uint32_t seed) {
  std::mt19937 random(seed);
  at::Tensor result = at::empty(shape, at::kFloat);
  for (int64_t i = 0; i < result.numel(); ++i)
    result.data_ptr<float>()[i] = static_cast<float>(random() % 5) - 2;
  return result;
}

Answers by_sorting(const at::Tensor& items, const at::Tensor& queries, int64_t top,
                   const Bitmap* allowed = nullptr) {
  const int64_t vectors = items.dim() == 3 ? items.size(1) : 1;
  const int64_t length = items.numel() / items.size(0);
  Answers result;
  for (int64_t q = 0; q < queries.size(0); ++q) {
    std::vector<Neighbour> all;
    for (int64_t i = 0; i < items.size(0); ++i) {
      if (allowed != nullptr && !allowed->test(i)) continue;
      double sum = 0;
      for (int64_t d = 0; d < length; ++d)
        sum += double(items.data_ptr<float>()[i * length + d]) *
               queries.data_ptr<float>()[q * length + d];
      all.push_back({i, static_cast<float>(sum) / static_cast<float>(vectors)});
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const Neighbour& a, const Neighbour& b) { return a.score > b.score; });
    all.resize(std::min<size_t>(all.size(), static_cast<size_t>(top)));
    result.push_back(all);
  }
  return result;
}

TEST(ExactSearch, EqualsASortOfAllScores) {
  for (const int64_t dim : {1, 7, 16, 33, 100}) {
    const auto items = whole({517, dim}, 1), queries = whole({9, dim}, 2);
    for (const int64_t top : {1, 10, 517, 1000})
      EXPECT_EQ(search_exact(items, queries, {.top = top}), by_sorting(items, queries, top))
          << dim << " " << top;
  }
}

TEST(ExactSearch, AveragesTheVectorsOfAnItem) {
  const auto items = whole({300, 3, 20}, 3), queries = whole({4, 3, 20}, 4);
  EXPECT_EQ(search_exact(items, queries, {.top = 20}), by_sorting(items, queries, 20));
  // One query vector meets all three.
  const auto one = queries.slice(1, 0, 1);
  EXPECT_EQ(search_exact(items, one, {.top = 20}),
            by_sorting(items, one.expand({4, 3, 20}).contiguous(), 20));
}

TEST(ExactSearch, FiltersCostNoResults) {
  const auto items = whole({1000, 24}, 5), queries = whole({3, 24}, 6);
  for (const int64_t step : {1, 2, 7, 150, 999}) {
    Bitmap allowed(1000);
    for (int64_t i = step - 1; i < 1000; i += step) allowed.set(i);
    const auto got = search_exact(items, queries, {.top = 12, .allowed = &allowed});
    EXPECT_EQ(got, by_sorting(items, queries, 12, &allowed)) << step;
    EXPECT_EQ(got[0].size(), static_cast<size_t>(std::min<int64_t>(12, allowed.count())));
  }
  const Bitmap none(1000);
  EXPECT_TRUE(search_exact(items, queries, {.allowed = &none})[0].empty());
}

TEST(ExactSearch, HasTheSameBitsForAnyThreadsAndBatch) {
  // 40 x 9000 rows of 100 floats pass the size from which work is shared out.
  const auto items = floats({9000, 100}, 7), queries = floats({40, 100}, 8);
  const Answers expected = search_exact(items, queries, {.top = 25, .threads = 1});
  for (const int threads : {2, 3, 5, 0})
    EXPECT_EQ(search_exact(items, queries, {.top = 25, .threads = threads}), expected) << threads;
  for (int64_t q = 0; q < 40; ++q)
    EXPECT_EQ(search_exact(items, queries.slice(0, q, q + 1), {.top = 25, .threads = 2})[0],
              expected[static_cast<size_t>(q)]);
  // And a filter that leaves every third item leaves its score.
  Bitmap allowed(9000);
  for (const Neighbour& n : expected[0]) allowed.set(n.index);
  EXPECT_EQ(search_exact(items, queries.slice(0, 0, 1), {.top = 25, .allowed = &allowed})[0],
            expected[0]);
}

TEST(ExactSearch, ScoresAreTheInnerProducts) {
  const auto items = floats({200, 256}, 9), queries = floats({2, 256}, 10);
  const auto got = search_exact(items, queries, {.top = 200});
  const auto wanted = by_sorting(items, queries, 200);
  for (size_t q = 0; q < 2; ++q)
    for (size_t i = 0; i < 200; ++i)
      EXPECT_NEAR(got[q][i].score, wanted[q][i].score, 5e-5) << q << " " << i;
}

TEST(DotTiles, AreBitEqualForAllInstructionSets) {
  for (const int64_t length : {1, 15, 16, 31, 64, 250}) {
    const auto rows = floats({13, length}, 11), queries = floats({9, length}, 12);
    std::vector<const float*> row_starts, query_starts;
    for (int64_t i = 0; i < 13; ++i) row_starts.push_back(rows.data_ptr<float>() + i * length);
    for (int64_t i = 0; i < 9; ++i) query_starts.push_back(queries.data_ptr<float>() + i * length);
    const auto scores_by = [&](DotTiles run) {
      std::vector<float> scores(9 * 20, -1);
      run(row_starts.data(), 13, query_starts.data(), 9, length, scores.data(), 20);
      return scores;
    };
    const auto expected = scores_by(dot_tiles_generic);
    for (const NamedDotTiles* tiles = available_dot_tiles(); tiles->run != nullptr; ++tiles)
      EXPECT_EQ(scores_by(tiles->run), expected) << tiles->name << " " << length;
  }
}

TEST(ExactSearch, PutsOverflowLastAndRefusesBadInput) {
  const auto items = whole({4, 2}, 1);
  const float huge = std::numeric_limits<float>::max();
  items.data_ptr<float>()[4] = huge;  // item 2: huge * 4 - huge * 4 = NaN
  items.data_ptr<float>()[5] = -huge;
  auto query = at::empty({1, 2}, at::kFloat).fill_(4);
  const auto hits = search_exact(items, query, {.top = 4});
  EXPECT_EQ(hits[0].size(), 4u);
  EXPECT_EQ(hits[0][3].index, 2);
  query.data_ptr<float>()[0] = std::nanf("");
  EXPECT_THROW(search_exact(items, query), InvalidArgument);
  EXPECT_THROW(search_exact(items, whole({1, 3}, 1)), InvalidArgument);
  EXPECT_THROW(search_exact(items, whole({1, 2}, 1).to(at::kDouble)), InvalidArgument);
  EXPECT_THROW(search_exact(items, whole({1, 2}, 1), {.top = -1}), InvalidArgument);
  const Bitmap wrong(3);
  EXPECT_THROW(search_exact(items, whole({1, 2}, 1), {.allowed = &wrong}), InvalidArgument);
  EXPECT_TRUE(search_exact(items, whole({1, 2}, 1), {.top = 0})[0].empty());
  EXPECT_TRUE(search_exact(at::empty({0, 2}, at::kFloat), whole({1, 2}, 1))[0].empty());
}

}  // namespace
}  // namespace vmr::retrieval
