#include "vmr/eval/retrieval_metrics.h"

#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "eval/score_rows.h"
#include "vmr/core/error.h"

namespace vmr::eval {
namespace {

template <typename Value>
double mean_over(const Ranks& ranks, Value value) {
  VMR_CHECK(!ranks.queries.empty(), "retrieval metrics: expected at least one query, got none");
  double sum = 0;
  for (size_t i = 0; i < ranks.queries.size(); ++i) sum += value(i);
  return sum / static_cast<double>(ranks.queries.size());
}

}  // namespace

const char* name_of(Ties ties) {
  switch (ties) {
    case Ties::index_ascending:
      return "index_ascending";
    case Ties::optimistic:
      return "optimistic";
    case Ties::pessimistic:
      return "pessimistic";
    case Ties::expected:
      return "expected";
  }
  return "";
}

Ranks rank_queries(const at::Tensor& scores, std::span<const int64_t> query_groups,
                   std::span<const int64_t> gallery_groups, Ties ties) {
  ScoreRows rows("rank_queries", scores);
  const auto queries = static_cast<size_t>(rows.rows());
  const auto gallery = static_cast<size_t>(rows.columns());
  VMR_CHECK(query_groups.size() == queries && gallery_groups.size() == gallery,
            "rank_queries: expected one group for each of ", queries, " queries and ", gallery,
            " gallery items, got ", query_groups.size(), " and ", gallery_groups.size());
  Ranks result;
  result.gallery = rows.columns();
  result.ties = ties;
  result.queries.resize(queries);
  for (size_t q = 0; q < queries; ++q) {
    const std::vector<double>& row = rows.row(static_cast<int64_t>(q));
    QueryRank& rank = result.queries[q];
    size_t best = gallery;  // the relevant item of highest score and then lowest index
    for (size_t i = 0; i < gallery; ++i) {
      result.nan_scores += std::isnan(row[i]);
      if (gallery_groups[i] != query_groups[q]) continue;
      ++rank.relevant;
      if (best == gallery || is_better(row[i], row[best])) best = i;
    }
    VMR_CHECK(best != gallery, "rank_queries: query ", q, " of group ", query_groups[q],
              " has no relevant item in the gallery; leave it out or add its item");
    for (size_t i = 0; i < gallery; ++i) {
      if (gallery_groups[i] == query_groups[q]) continue;
      if (is_better(row[i], row[best])) {
        ++rank.better;
      } else if (is_tied(row[i], row[best])) {
        ++rank.tied;
        rank.tied_low += i < best;
      }
    }
    result.tied_queries += rank.tied > 0;
  }
  return result;
}

double Ranks::tied_share() const {
  return queries.empty() ? 0 : static_cast<double>(tied_queries) / queries.size();
}

std::string Ranks::tie_warning() const {
  if (tied_share() <= 0.01) return "";
  return detail::concat(tied_queries, " of ", queries.size(),
                        " queries have other items tied with the right one; embeddings may have "
                        "collapsed: compare ties optimistic and pessimistic");
}

double Ranks::rank(size_t query) const {
  const QueryRank& r = queries[query];
  switch (ties) {
    case Ties::index_ascending:
      return static_cast<double>(r.better + r.tied_low + 1);
    case Ties::optimistic:
      return static_cast<double>(r.better + 1);
    case Ties::pessimistic:
      return static_cast<double>(r.better + r.tied + 1);
    case Ties::expected:
      return static_cast<double>(r.better + 1) + static_cast<double>(r.tied) / 2;
  }
  return 0;
}

double Ranks::hit(size_t query, int64_t k) const {
  if (ties != Ties::expected) return rank(query) <= static_cast<double>(k) ? 1 : 0;
  const QueryRank& r = queries[query];
  const double places = static_cast<double>(k - r.better) / static_cast<double>(r.tied + 1);
  return std::clamp(places, 0.0, 1.0);
}

double Ranks::reciprocal(size_t query) const {
  if (ties != Ties::expected) return 1 / rank(query);
  const QueryRank& r = queries[query];
  double sum = 0;
  for (int64_t i = 0; i <= r.tied; ++i) sum += 1 / static_cast<double>(r.better + 1 + i);
  return sum / static_cast<double>(r.tied + 1);
}

BothRanks rank_both_ways(const at::Tensor& scores, std::span<const int64_t> film_tracks,
                         Ties ties) {
  return rank_both_ways(DirectedScores{scores, scores}, film_tracks, ties);
}

BothRanks rank_both_ways(const DirectedScores& directed, std::span<const int64_t> film_tracks,
                         Ties ties) {
  const auto& scores = directed.video_to_music;
  VMR_CHECK(scores.defined() && scores.dim() == 2 &&
                scores.size(0) == static_cast<int64_t>(film_tracks.size()) && !film_tracks.empty(),
            "rank_both_ways: expected scores [films, tracks] for ", film_tracks.size(),
            " films (at least 1)");
  VMR_CHECK(directed.music_to_video.defined() && directed.music_to_video.sizes() == scores.sizes(),
            "rank_both_ways: expected scores ", scores.sizes(), " [films, tracks] both ways");
  const int64_t tracks = scores.size(1);
  for (const int64_t track : film_tracks) {
    VMR_CHECK(track >= 0 && track < tracks, "rank_both_ways: film_tracks holds ", track,
              ", which is no column of scores with ", tracks, " tracks");
  }
  std::vector<int64_t> columns(static_cast<size_t>(tracks));
  std::iota(columns.begin(), columns.end(), int64_t{0});
  const std::set<int64_t> with_films(film_tracks.begin(), film_tracks.end());
  BothRanks both;
  both.asking_tracks.assign(with_films.begin(), with_films.end());
  std::vector<at::Tensor> rows;
  for (const int64_t track : both.asking_tracks) {
    rows.push_back(directed.music_to_video.select(1, track));
  }
  both.video_to_music = rank_queries(scores, film_tracks, columns, ties);
  both.music_to_video = rank_queries(at::stack(rows), both.asking_tracks, film_tracks, ties);
  return both;
}

double hit_rate(const Ranks& ranks, int64_t k) {
  VMR_CHECK(k >= 1, "hit_rate: expected k of at least 1, got ", k);
  return mean_over(ranks, [&](size_t i) { return ranks.hit(i, k); });
}

double mean_rank(const Ranks& ranks) {
  return mean_over(ranks, [&](size_t i) { return ranks.rank(i); });
}

double mean_log_rank(const Ranks& ranks) {
  return mean_over(ranks, [&](size_t i) {
    if (ranks.ties != Ties::expected) return std::log(ranks.rank(i));
    // Mean of ln(g+1) .. ln(g+1+t).
    const QueryRank& r = ranks.queries[i];
    double sum = 0;
    for (int64_t j = 0; j <= r.tied; ++j) sum += std::log(static_cast<double>(r.better + 1 + j));
    return sum / static_cast<double>(r.tied + 1);
  });
}

double mean_reciprocal_rank(const Ranks& ranks) {
  return mean_over(ranks, [&](size_t i) { return ranks.reciprocal(i); });
}

double median_rank(const Ranks& ranks) {
  std::vector<double> values(ranks.queries.size());
  for (size_t i = 0; i < values.size(); ++i) values[i] = ranks.rank(i);
  return median_rank(std::span<const double>(values)).median;
}

MedianRank median_rank(std::span<const double> ranks, AbsentRanks absent) {
  VMR_CHECK(!ranks.empty(), "median_rank: expected at least one rank, got none");
  std::vector<double> values(ranks.begin(), ranks.end());
  MedianRank result;
  for (const double rank : ranks) {
    VMR_CHECK(rank >= 1, "median_rank: expected 1-based ranks or infinity, got ", rank);
    result.absent += std::isinf(rank);
  }
  if (absent == AbsentRanks::ignore) std::erase_if(values, [](double v) { return std::isinf(v); });
  if (values.empty()) {
    result.median = std::numeric_limits<double>::infinity();
    return result;
  }
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  result.median =
      values.size() % 2 == 1 ? values[middle] : values[middle - 1] / 2 + values[middle] / 2;
  return result;
}

double chance_hit(int64_t gallery, int64_t relevant, int64_t k) {
  VMR_CHECK(gallery >= 1 && relevant >= 0 && relevant <= gallery && k >= 0,
            "chance_hit: expected 0 <= relevant <= gallery and k >= 0, got gallery ", gallery,
            ", relevant ", relevant, ", k ", k);
  k = std::min(k, gallery);
  if (k > gallery - relevant) return 1;
  // C(N-r,K)/C(N,K) = prod_{i<r} (1 - K/(N-i)), the same with r and K exchanged. Summing log1p
  // keeps all digits of small probabilities.
  const int64_t factors = std::min(relevant, k), drawn = std::max(relevant, k);
  double log_miss = 0;
  for (int64_t i = 0; i < factors; ++i)
    log_miss += std::log1p(-static_cast<double>(drawn) / static_cast<double>(gallery - i));
  return -std::expm1(log_miss);
}

double chance_hit_rate(const Ranks& ranks, int64_t k) {
  return mean_over(
      ranks, [&](size_t i) { return chance_hit(ranks.gallery, ranks.queries[i].relevant, k); });
}

}  // namespace vmr::eval
