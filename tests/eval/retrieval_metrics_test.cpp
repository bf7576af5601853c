// Pins ranks under every tie rule, the list metrics' test vector, chance levels, and agreement with
// scikit-learn and scipy to 1e-12.
#include "vmr/eval/retrieval_metrics.h"

#include <cmath>
#include <limits>

#include "eval/eval_fixture.h"
#include "vmr/core/error.h"

namespace vmr::eval {
namespace {

const double kNaN = std::numeric_limits<double>::quiet_NaN();
const double kInf = std::numeric_limits<double>::infinity();

// One query of group 1; scores 0.9, then the right item (index 3) tied with items 1, 2 and 4.
Ranks tied(Ties ties) {
  return rank_queries(matrix({{0.9, 0.5, 0.5, 0.5, 0.5, 0.1}}), Ids{1}, Ids{0, 0, 0, 1, 0, 0},
                      ties);
}

TEST(RankQueries, FollowsTheRuleForTies) {
  EXPECT_EQ(tied(Ties::index_ascending).rank(0), 4);  // behind 0.9 and items 1 and 2
  EXPECT_EQ(tied(Ties::optimistic).rank(0), 2);
  EXPECT_EQ(tied(Ties::pessimistic).rank(0), 5);
  EXPECT_EQ(tied(Ties::expected).rank(0), 3.5);
}

TEST(RankQueries, ExpectedTiesMakeProbabilities) {
  const Ranks ranks = tied(Ties::expected);  // rank uniform on 2..5
  EXPECT_DOUBLE_EQ(hit_rate(ranks, 1), 0);
  EXPECT_DOUBLE_EQ(hit_rate(ranks, 3), 0.5);
  EXPECT_DOUBLE_EQ(hit_rate(ranks, 5), 1);
  EXPECT_DOUBLE_EQ(hit_rate(ranks, 6), 1);
  EXPECT_DOUBLE_EQ(mean_reciprocal_rank(ranks), (1 / 2. + 1 / 3. + 1 / 4. + 1 / 5.) / 4);
  EXPECT_DOUBLE_EQ(mean_log_rank(ranks), std::log(2. * 3 * 4 * 5) / 4);
}

TEST(RankQueries, TakesTheBestOfSeveralRelevantItems) {
  const auto scores = matrix({{0.1, 0.8, 0.3, 0.9}, {0.1, 0.8, 0.3, 0.9}}, at::kFloat);
  const Ranks ranks = rank_queries(scores, Ids{5, 6}, Ids{5, 6, 5, 7});
  EXPECT_EQ(ranks.rank(0), 3);  // item 2, behind 0.9 and 0.8
  EXPECT_EQ(ranks.queries[0].relevant, 2);
  EXPECT_EQ(ranks.rank(1), 2);
  EXPECT_EQ(ranks.gallery, 4);
}

TEST(RankQueries, PutsNaNBehindEverythingAndCountsIt) {
  const Ranks ranks = rank_queries(matrix({{kNaN, -kInf, 0.0}, {kNaN, 1.0, kNaN}}), Ids{0, 2},
                                   Ids{0, 1, 2}, Ties::index_ascending);
  EXPECT_EQ(ranks.rank(0), 3);
  EXPECT_EQ(ranks.queries[0].tied, 0);
  EXPECT_EQ(ranks.rank(1), 3);  // behind 1.0 and, tied, item 0
  EXPECT_EQ(ranks.queries[1].tied, 1);
  EXPECT_EQ(ranks.nan_scores, 3);
}

TEST(RankQueries, WarnsWhereMoreThanOnePercentAreTied) {
  // A collapsed embedding looks perfect with low-index ties when the gallery is in query order.
  const Ranks collapsed = rank_queries(matrix({{1, 1}}), Ids{0}, Ids{0, 1});
  EXPECT_EQ(hit_rate(collapsed, 1), 1);
  EXPECT_EQ(collapsed.tied_share(), 1);
  EXPECT_NE(collapsed.tie_warning().find("1 of 1 queries"), std::string::npos);
  Ranks few;
  few.queries.resize(100);
  few.tied_queries = 1;
  EXPECT_EQ(few.tie_warning(), "");
  few.tied_queries = 2;
  EXPECT_NE(few.tie_warning(), "");
}

TEST(RankQueries, RefusesQueriesWithoutRelevantItemAndWrongShapes) {
  EXPECT_THROW(rank_queries(matrix({{1, 2}}), Ids{3}, Ids{0, 1}), InvalidArgument);
  EXPECT_THROW(rank_queries(matrix({{1, 2}}), Ids{0}, Ids{0}), InvalidArgument);
  EXPECT_THROW(rank_queries(matrix({{1, 2}}).select(0, 0), Ids{0}, Ids{0, 1}), InvalidArgument);
  EXPECT_THROW(rank_queries(matrix({{1, 2}}, at::kLong), Ids{0}, Ids{0, 1}), InvalidArgument);
}

TEST(MedianRank, CountsAbsentItemsAsInfiniteUnlessToldOtherwise) {
  const std::vector<double> ranks = {4, kInf, 1, kInf, 9};
  EXPECT_EQ(median_rank(ranks).median, 9);
  EXPECT_EQ(median_rank(ranks).absent, 2);
  EXPECT_EQ(median_rank(ranks, AbsentRanks::ignore).median, 4);
  EXPECT_EQ(median_rank(std::vector<double>{2, 3}).median, 2.5);
  EXPECT_EQ(median_rank(std::vector<double>{2, kInf}).median, kInf);
  EXPECT_EQ(median_rank(std::vector<double>{kInf}, AbsentRanks::ignore).median, kInf);
}

TEST(ListMetrics, EqualsTheTestVector) {
  // returned [s1, s3, s5, s2], relevant {s1, s2}
  const Ids returned = {1, 3, 5, 2}, relevant = {1, 2};
  const Ids ks = {1, 3, 5, 10};
  const double recall[] = {0.5, 0.5, 1, 1}, precision[] = {1, 1 / 3., 0.5, 0.5};
  const double map[] = {1, 0.5, 0.75, 0.75};
  const double second = 1 / std::log2(5), ideal = 1 + 1 / std::log2(3);
  const double ndcg[] = {1, 1 / ideal, (1 + second) / ideal, (1 + second) / ideal};
  for (size_t i = 0; i < ks.size(); ++i) {
    const ListMetrics m = list_metrics(returned, relevant, ks[i]);
    EXPECT_EQ(m.hit, 1) << ks[i];
    EXPECT_DOUBLE_EQ(m.recall, recall[i]) << ks[i];
    EXPECT_DOUBLE_EQ(m.precision, precision[i]) << ks[i];
    EXPECT_DOUBLE_EQ(m.map, map[i]) << ks[i];
    EXPECT_EQ(m.mrr, 1) << ks[i];
    EXPECT_DOUBLE_EQ(m.ndcg, ndcg[i]) << ks[i];
  }
  // Dividing by k instead of by the length of the list.
  const ListMetrics m =
      list_metrics(returned, relevant, 10, {.denominator = ListOptions::Denominator::k});
  EXPECT_DOUBLE_EQ(m.precision, 0.2);
  EXPECT_DOUBLE_EQ(m.map, 0.75);
}

TEST(ListMetrics, OfOneRelevantItemIsTheUsualNdcgAndMrr) {
  const ListMetrics found = list_metrics(Ids{7, 8, 9}, Ids{9}, 3);
  EXPECT_DOUBLE_EQ(found.ndcg, std::log(2.) / std::log(4.));
  EXPECT_DOUBLE_EQ(found.mrr, 1 / 3.);
  const ListMetrics missed = list_metrics(Ids{7, 8, 9}, Ids{9}, 2);
  EXPECT_EQ(missed.ndcg + missed.mrr + missed.hit + missed.recall + missed.map, 0);
}

TEST(ListMetrics, TreatsDuplicatesAndEmptyListsAsStated) {
  EXPECT_THROW(list_metrics(Ids{1, 1}, Ids{1}, 2), InvalidArgument);
  EXPECT_THROW(list_metrics(Ids{1}, Ids{}, 2), InvalidArgument);
  EXPECT_THROW(list_metrics(Ids{1}, Ids{1}, 0), InvalidArgument);
  const ListMetrics m = list_metrics(Ids{1, 1, 2}, Ids{1, 2, 3}, 3, {.allow_duplicates = true});
  EXPECT_DOUBLE_EQ(m.precision, 2 / 3.);
  EXPECT_DOUBLE_EQ(m.map, 1);  // each occurrence counts
  EXPECT_DOUBLE_EQ(m.recall, 2 / 3.);
  const ListMetrics empty = list_metrics(Ids{}, Ids{1}, 5);
  EXPECT_EQ(empty.precision + empty.map + empty.recall + empty.hit, 0);
}

TEST(Ranking, IsStableWithNaNLast) {
  const auto row = matrix({{1, kNaN, 3, 1, -kInf, 3}}).select(0, 0);
  EXPECT_EQ(ranking(row, 10), (Ids{2, 5, 0, 3, 4, 1}));
  EXPECT_EQ(ranking(row, 3), (Ids{2, 5, 0}));
}

TEST(Chance, EqualsWorkedValues) {
  EXPECT_DOUBLE_EQ(chance_hit(10, 1, 1), 0.1);
  EXPECT_DOUBLE_EQ(chance_hit(5, 2, 2), 1 - 3. / 10);  // C(3,2)/C(5,2)
  EXPECT_EQ(chance_hit(5, 2, 4), 1);
  EXPECT_EQ(chance_hit(5, 2, 100), 1);
  EXPECT_EQ(chance_hit(5, 0, 3), 0);
  EXPECT_NEAR(chance_hit(int64_t{1} << 50, 1, 1), std::ldexp(1., -50), 1e-30);
  for (const auto& [key, value] : golden().at("chance").items()) {
    long long n = 0, r = 0, k = 0;
    ASSERT_EQ(std::sscanf(key.c_str(), "%lld,%lld,%lld", &n, &r, &k), 3);
    EXPECT_NEAR(chance_hit(n, r, k), value.get<double>(), 1e-11) << key;
  }
}

TEST(RetrievalMetrics, AgreeWithScikitLearnAndScipy) {
  const auto& g = golden();
  const auto scores = matrix(g.at("scores").get<std::vector<std::vector<double>>>());
  const auto queries = g.at("query_groups").get<Ids>(), gallery = g.at("gallery_groups").get<Ids>();
  const auto ks = g.at("ks").get<Ids>();
  const Ranks ranks = rank_queries(scores, queries, gallery);
  for (size_t q = 0; q < queries.size(); ++q)
    EXPECT_EQ(ranks.rank(q), g.at("first_ranks")[q].get<double>()) << q;
  for (size_t i = 0; i < ks.size(); ++i) {
    EXPECT_NEAR(hit_rate(ranks, ks[i]), g.at("hit_rate")[i].get<double>(), 1e-12);
    const ListMetrics mean = mean_of(list_metrics(scores, queries, gallery, ks[i]));
    EXPECT_NEAR(mean.ndcg, g.at("ndcg")[i].get<double>(), 1e-12) << ks[i];
    EXPECT_NEAR(mean.hit, g.at("hit_rate")[i].get<double>(), 1e-12) << ks[i];
  }
  // Over the whole gallery map@k is scikit-learn's average precision.
  EXPECT_NEAR(mean_of(list_metrics(scores, queries, gallery, ranks.gallery)).map,
              g.at("average_precision").get<double>(), 1e-12);
  EXPECT_NEAR(median_rank(ranks), g.at("median_rank").get<double>(), 1e-12);
  EXPECT_NEAR(mean_rank(ranks), g.at("mean_rank").get<double>(), 1e-12);
  EXPECT_NEAR(mean_log_rank(ranks), g.at("mean_log_rank").get<double>(), 1e-12);
  EXPECT_NEAR(mean_reciprocal_rank(ranks), g.at("mrr").get<double>(), 1e-12);
}

}  // namespace
}  // namespace vmr::eval
