// Pins the clustered bootstrap to numpy's percentiles of the same draws and to theory, the
// sign-flip test to scipy's exact one, Holm's correction to worked values.
#include "vmr/eval/bootstrap.h"

#include <cmath>

#include "eval/eval_fixture.h"
#include "vmr/core/error.h"

namespace vmr::eval {
namespace {

TEST(Bootstrap, EqualsNumpyOverTheSameDraws) {
  const auto& g = golden();
  std::vector<double> values;
  for (const auto& rank : g.at("first_ranks")) values.push_back(rank.get<int>() <= 3);
  const auto interval = cluster_bootstrap_mean(values, g.at("query_groups").get<Ids>(),
                                               {.resamples = 300, .seed = 11});
  EXPECT_NEAR(interval.value, g.at("bootstrap")[0].get<double>(), 1e-12);
  EXPECT_NEAR(interval.low, g.at("bootstrap")[1].get<double>(), 1e-12);
  EXPECT_NEAR(interval.high, g.at("bootstrap")[2].get<double>(), 1e-12);
}

TEST(Bootstrap, IsAsWideAsTheoryForIndependentClusters) {
  // 400 clusters of one query, a quarter of them hits: standard error sqrt(p(1-p)/n) = 0.02165.
  std::vector<double> values;
  Ids clusters;
  for (int64_t i = 0; i < 400; ++i) {
    values.push_back(i % 4 == 0);
    clusters.push_back(i);
  }
  const auto interval = cluster_bootstrap_mean(values, clusters, {.resamples = 20000});
  EXPECT_EQ(interval.value, 0.25);
  EXPECT_NEAR(interval.high - interval.low, 2 * 1.96 * 0.02165, 0.004);
}

TEST(Bootstrap, TakesTheClusterAndNotTheQueryAsUnit) {
  // Ten copies of every query add nothing: the interval stays as wide.
  std::vector<double> once, tenfold;
  Ids once_clusters, tenfold_clusters;
  for (int64_t i = 0; i < 50; ++i) {
    once.push_back(i % 3 == 0);
    once_clusters.push_back(i);
    for (int copy = 0; copy < 10; ++copy) {
      tenfold.push_back(i % 3 == 0);
      tenfold_clusters.push_back(i);
    }
  }
  const auto a = cluster_bootstrap_mean(once, once_clusters, {.seed = 5});
  const auto b = cluster_bootstrap_mean(tenfold, tenfold_clusters, {.seed = 5});
  EXPECT_NEAR(a.low, b.low, 1e-12);
  EXPECT_NEAR(a.high, b.high, 1e-12);
  EXPECT_LT(a.low, a.value);
}

TEST(Bootstrap, KnowsNoIntervalOfOneClusterAndRefusesBadInput) {
  const auto one = cluster_bootstrap_mean(std::vector<double>{1, 0}, Ids{3, 3});
  EXPECT_EQ(one.value, 0.5);
  EXPECT_TRUE(std::isnan(one.low) && std::isnan(one.high));
  EXPECT_THROW(cluster_bootstrap_mean(std::vector<double>{}, Ids{}), InvalidArgument);
  EXPECT_THROW(cluster_bootstrap_mean(std::vector<double>{1}, Ids{1, 2}), InvalidArgument);
}

TEST(PairedTest, EqualsTheWorkedCase) {
  // Sums of one sign: only all-plus and all-minus of the 8 patterns are as extreme.
  const auto test =
      paired_cluster_test(std::vector<double>{1, 2, 3}, std::vector<double>{0, 0, 0}, Ids{0, 1, 2});
  EXPECT_TRUE(test.exact);
  EXPECT_DOUBLE_EQ(test.p_value, 2. / 8);
  EXPECT_DOUBLE_EQ(test.difference, 2);
  EXPECT_EQ(test.clusters, 3);
}

TEST(PairedTest, EqualsScipyAndItsDrawnFormComesClose) {
  const auto& g = golden().at("paired");
  const auto a = g.at("a").get<std::vector<double>>(), b = g.at("b").get<std::vector<double>>();
  const auto clusters = golden().at("query_groups").get<Ids>();
  const auto test = paired_cluster_test(a, b, clusters);
  EXPECT_TRUE(test.exact);
  EXPECT_NEAR(test.p_value, g.at("p_value").get<double>(), 1e-12);
  EXPECT_NEAR(test.difference, g.at("difference").get<double>(), 1e-12);

  // 14 clusters of one query: 16384 patterns, exact or drawn.
  Ids each(a.size());
  for (size_t i = 0; i < each.size(); ++i) each[i] = static_cast<int64_t>(i);
  const auto exact = paired_cluster_test(a, b, each, {.permutations = 20000});
  const auto drawn = paired_cluster_test(a, b, each, {.permutations = 16000, .seed = 3});
  EXPECT_TRUE(exact.exact);
  EXPECT_FALSE(drawn.exact);
  EXPECT_NEAR(drawn.p_value, exact.p_value, 4 * std::sqrt(exact.p_value / 16000));
}

TEST(PairedTest, OfEqualSystemsIsOne) {
  const std::vector<double> same(30, 0.5);
  Ids clusters(30);
  for (size_t i = 0; i < 30; ++i) clusters[i] = static_cast<int64_t>(i);
  EXPECT_EQ(paired_cluster_test(same, same, clusters).p_value, 1);
}

TEST(Holm, EqualsWorkedValues) {
  const auto near = [](const std::vector<double>& got, const std::vector<double>& want) {
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-12) << i;
  };
  near(holm_adjusted(std::vector<double>{0.01, 0.04, 0.03}), {0.03, 0.06, 0.06});
  near(holm_adjusted(std::vector<double>{0.4, 0.6}), {0.8, 0.8});
  near(holm_adjusted(std::vector<double>{0.7, 0.6}), {1, 1});
  EXPECT_TRUE(holm_adjusted({}).empty());
  EXPECT_THROW(holm_adjusted(std::vector<double>{1.5}), InvalidArgument);
}

}  // namespace
}  // namespace vmr::eval
