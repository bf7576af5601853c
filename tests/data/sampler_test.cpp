// Pins class counts worked by hand, batches as pure functions of seed and epoch, and that negatives
// never share tag or track with their film.
#include "vmr/data/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/random_stream.h"
#include "vmr/core/error.h"

namespace vmr::data {
namespace {

using ::testing::ElementsAre;

SamplerOptions balanced(int64_t batch, double alpha = 1) {
  return {.kind = SamplerKind::balanced_fixed, .alpha = alpha, .batch = batch};
}

TEST(RandomStream, GivesTheSameNumbersEverywhere) {
  RandomStream random({1, 2});
  // Worked by tests/golden/make_tag_vectors.py.
  EXPECT_EQ(random.next(), 0xe86b8bfa193aab36u);
  EXPECT_EQ(random.next(), 0x3ded1ba4109e5568u);
}

TEST(RandomStream, DrawsIntegersUniformlyAndShufflesFairly) {
  RandomStream random({3});
  std::map<int64_t, int> counts;
  for (int i = 0; i < 70000; ++i) ++counts[random.below(7)];
  ASSERT_EQ(counts.size(), 7u);
  for (const auto& [value, count] : counts) EXPECT_NEAR(count, 10000, 400) << value;
  std::map<std::vector<int>, int> orders;
  for (int i = 0; i < 24000; ++i) {
    std::vector<int> order = {0, 1, 2, 3};
    random.shuffle(order);
    ++orders[order];
  }
  EXPECT_EQ(orders.size(), 24u);
  for (const auto& [order, count] : orders) EXPECT_NEAR(count, 1000, 160);
}

TEST(ClassCounts, FollowTheWeights) {
  EXPECT_THAT(class_counts({3, 1}, balanced(4), 0), ElementsAre(2, 2));
  EXPECT_THAT(class_counts({3, 1}, balanced(4, 0), 0), ElementsAre(3, 1));
  // Weights 0.5/2 + 0.5*{9, 1}/10 = {0.7, 0.3}.
  EXPECT_THAT(class_counts({9, 1}, balanced(10, 0.5), 0), ElementsAre(7, 3));
  // 5/2 = 2.5 rounds to 2 (half to even), so one film is left over.
  EXPECT_THAT(class_counts({4, 4}, balanced(5), 0), ElementsAre(3, 2));
}

TEST(ClassCounts, SpreadTheRemainderRoundRobin) {
  // 11/4 = 2.75 -> 3 each, one too many: taken from another class in each batch.
  EXPECT_THAT(class_counts({5, 5, 5, 5}, balanced(11), 0), ElementsAre(2, 3, 3, 3));
  EXPECT_THAT(class_counts({5, 5, 5, 5}, balanced(11), 1), ElementsAre(3, 2, 3, 3));
  EXPECT_THAT(class_counts({5, 5, 5, 5}, balanced(11), 5), ElementsAre(3, 2, 3, 3));
  // 2/5 = 0.4 -> 0 each: two classes a batch, in turn.
  EXPECT_THAT(class_counts({1, 1, 1, 1, 1}, balanced(2), 0), ElementsAre(1, 1, 0, 0, 0));
  EXPECT_THAT(class_counts({1, 1, 1, 1, 1}, balanced(2), 2), ElementsAre(1, 0, 0, 0, 1));
}

TEST(ClassCounts, GiveThePublishedCodesRemainderToTheLargestClass) {
  auto options = balanced(8192);
  options.remainder = Remainder::largest_class;
  // 663 tags: 12 each and 236 more for one of them.
  const auto counts = class_counts(std::vector<int64_t>(663, 10), options, 3);
  EXPECT_EQ(counts[0], 248);
  EXPECT_EQ(counts[1], 12);
  options.remainder = Remainder::round_robin;
  const auto spread = class_counts(std::vector<int64_t>(663, 10), options, 0);
  EXPECT_EQ(std::count(spread.begin(), spread.end(), 13), 236);
  EXPECT_EQ(std::count(spread.begin(), spread.end(), 12), 427);
}

TEST(EpochBatches, ShuffledSeesEveryFilmOnce) {
  const std::vector<int64_t> classes(10, 0);
  const SamplerOptions options{.kind = SamplerKind::shuffled, .batch = 4};
  const auto batches = epoch_batches(classes, options, 1, 0);
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[2].size(), 2u);
  std::set<int64_t> seen;
  for (const auto& batch : batches) seen.insert(batch.begin(), batch.end());
  EXPECT_EQ(seen.size(), 10u);
  // Nine films: the ninth joins the second batch.
  const auto nine = epoch_batches(std::vector<int64_t>(9, 0), options, 1, 0);
  ASSERT_EQ(nine.size(), 2u);
  EXPECT_EQ(nine[1].size(), 5u);
}

TEST(EpochBatches, ArePureInSeedAndEpoch) {
  const std::vector<int64_t> classes = {0, 0, 0, 1, 1, 2, 2, 2, 2, 2};
  for (const auto kind :
       {SamplerKind::shuffled, SamplerKind::balanced_fixed, SamplerKind::balanced_random}) {
    const SamplerOptions options{.kind = kind, .batch = 5};
    EXPECT_EQ(epoch_batches(classes, options, 1, 4), epoch_batches(classes, options, 1, 4));
    EXPECT_NE(epoch_batches(classes, options, 1, 4), epoch_batches(classes, options, 1, 5));
    EXPECT_NE(epoch_batches(classes, options, 1, 4), epoch_batches(classes, options, 2, 4));
  }
}

TEST(EpochBatches, BalancedFixedReadsEachClassInACircle) {
  // Class 9 has two films and gives two a batch: each batch holds both. Class 5 has six and gives
  // two a batch: three batches see each once.
  const std::vector<int64_t> classes = {9, 9, 5, 5, 5, 5, 5, 5};
  auto options = balanced(4);
  options.steps_per_epoch = 6;
  const auto batches = epoch_batches(classes, options, 1, 0);
  ASSERT_EQ(batches.size(), 6u);
  std::map<int64_t, int> seen;
  for (const auto& batch : batches) {
    EXPECT_EQ(std::set<int64_t>(batch.begin(), batch.end()).size(), 4u);
    for (const int64_t film : batch) ++seen[film];
  }
  EXPECT_EQ(seen[0], 6);
  EXPECT_EQ(seen[1], 6);
  for (int64_t film = 2; film < 8; ++film) EXPECT_EQ(seen[film], 2) << film;
}

TEST(EpochBatches, BalancedRandomDrawsClassesByWeight) {
  std::vector<int64_t> classes(90, 0);
  classes.resize(100, 1);
  const auto share_of_rare = [&](double alpha) {
    const SamplerOptions options{
        .kind = SamplerKind::balanced_random, .alpha = alpha, .batch = 1000, .steps_per_epoch = 20};
    int rare = 0;
    std::map<int64_t, int> films;
    for (const auto& batch : epoch_batches(classes, options, 3, 0)) {
      for (const int64_t film : batch) rare += film >= 90, ++films[film];
    }
    EXPECT_EQ(films.size(), 100u);
    return rare / 20000.0;
  };
  // Standard deviations are 0.0035 and 0.0021.
  EXPECT_NEAR(share_of_rare(1), 0.5, 0.012);
  EXPECT_NEAR(share_of_rare(0), 0.1, 0.008);
}

TEST(EpochBatches, RefuseEmptyDataAndBadOptions) {
  EXPECT_THROW(epoch_batches({}, balanced(4), 1, 0), InvalidArgument);
  EXPECT_THROW(epoch_batches({0}, balanced(0), 1, 0), InvalidArgument);
  EXPECT_THROW(epoch_batches({0}, balanced(4, 1.5), 1, 0), InvalidArgument);
}

TEST(NegativeSampler, NeverSharesTagOrTrack) {
  // Track 0 carries tags 3, 5 and 8, so tags alone do not keep it out.
  const std::vector<int64_t> tags = {3, 3, 5, 5, 5, 8, 8};
  const std::vector<int64_t> tracks = {0, 1, 0, 2, 3, 0, 4};
  const NegativeSampler sampler(tags, tracks);
  const std::vector<int64_t> films = {0, 1, 2, 3, 4, 5, 6};
  for (int64_t step = -1; step < 200; ++step) {
    const auto negatives = sampler.draw(films, 1, 0, step);
    for (size_t i = 0; i < films.size(); ++i) {
      const auto negative = static_cast<size_t>(negatives[i]);
      EXPECT_NE(tags[negative], tags[i]);
      EXPECT_NE(tracks[negative], tracks[i]);
    }
  }
}

TEST(NegativeSampler, DrawsTagsUniformlyThenFilms) {
  // Tag 1 has one film, tag 2 has three: a quarter of a tag's share each would be wrong.
  const NegativeSampler sampler({0, 1, 2, 2, 2}, {0, 1, 2, 3, 4});
  std::map<int64_t, int> counts;
  for (const int64_t film : sampler.draw(std::vector<int64_t>(60000, 0), 1, 0, 0)) ++counts[film];
  EXPECT_NEAR(counts[1], 30000, 500);
  for (int64_t film = 2; film < 5; ++film) EXPECT_NEAR(counts[film], 10000, 350);
}

TEST(NegativeSampler, IsPureInSeedEpochAndStep) {
  const NegativeSampler sampler({0, 0, 1, 1, 2, 2}, {0, 1, 2, 3, 4, 5});
  const std::vector<int64_t> films = {0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5};
  EXPECT_EQ(sampler.draw(films, 1, 2, 3), sampler.draw(films, 1, 2, 3));
  EXPECT_NE(sampler.draw(films, 1, 2, 3), sampler.draw(films, 1, 2, 4));
  EXPECT_NE(sampler.draw(films, 1, 2, 3), sampler.draw(films, 1, 3, 3));
  EXPECT_NE(sampler.draw(films, 1, 2, 3), sampler.draw(films, 2, 2, 3));
}

TEST(NegativeSampler, FindsTheOneFreeFilmAndSaysWhereThereIsNone) {
  // 400 films of other tags have film 0's track, one has not.
  std::vector<int64_t> tags(401, 1), tracks(401, 7);
  tags[0] = 0;
  tracks.push_back(8);
  tags.push_back(1);
  EXPECT_THAT(NegativeSampler(tags, tracks).draw({0}, 1, 0, 0), ElementsAre(401));
  EXPECT_THROW(NegativeSampler({0, 1}, {4, 4}).draw({0}, 1, 0, 0), InvalidArgument);
  EXPECT_THROW(NegativeSampler({2, 2}, {0, 1}), InvalidArgument);
}

TEST(FindFilmWithoutNegative, NamesTheFirst) {
  EXPECT_EQ(find_film_without_negative({0, 1, 2}, {5, 5, 6}), std::nullopt);
  EXPECT_EQ(find_film_without_negative({0, 1}, {5, 5}), 0);
  EXPECT_EQ(find_film_without_negative({3, 3}, {5, 6}), 0);
  // Films 0 and 1 have each other; the films of film 2's other tag have its own track.
  EXPECT_EQ(find_film_without_negative({0, 1, 1, 0}, {5, 6, 5, 5}), 2);
  EXPECT_EQ(find_film_without_negative({}, {}), std::nullopt);
}

}  // namespace
}  // namespace vmr::data
