// Where the right items stand in a ranking, and the metrics made of it. Two inputs: a score matrix
// [queries, gallery] with integer group ids (an item is relevant for a query of equal group, so
// that many films may share one track), or one ranked list of ids and its relevant set. Scores:
// higher = better; NaN ranks behind everything, -infinity included.
// Recall@K of the retrieval papers is hit_rate() here: the share of queries with some relevant item
// among the first K; recall in ListMetrics is the share of the relevant items found.
// Thread-safe: plain functions.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vmr::eval {

// Rank of the best relevant item, with g non-relevant items strictly better and t tied with it.
enum class Ties {
  index_ascending,  // g + 1 + tied items of lower index: the order a stable sort gives; the default
  optimistic,       // g + 1
  pessimistic,      // g + 1 + t
  expected,         // uniform on g+1 .. g+1+t: hits become probabilities, ranks their mean
};
const char* name_of(Ties ties);

struct QueryRank {
  int64_t better = 0;    // g
  int64_t tied = 0;      // t, non-relevant
  int64_t tied_low = 0;  // those of t whose index is below the relevant item's
  int64_t relevant = 0;  // relevant items in the gallery
};

struct Ranks {
  std::vector<QueryRank> queries;
  int64_t gallery = 0;
  int64_t nan_scores = 0;    // in the whole matrix
  int64_t tied_queries = 0;  // queries with t > 0
  Ties ties = Ties::index_ascending;

  double tied_share() const;
  // A sentence where more than 1 % of the queries have ties at the relevant score, else "".
  std::string tie_warning() const;
  // 1-based rank of a query's best relevant item; the mean one under Ties::expected.
  double rank(size_t query) const;
  // Probability that this rank is at most k: 0 or 1 but under Ties::expected.
  double hit(size_t query, int64_t k) const;
  // Mean of 1/rank, exact under Ties::expected too.
  double reciprocal(size_t query) const;
};

// scores [queries, gallery] float32 or float64, on the CPU. Relevance is equality of groups.
// Throws: InvalidArgument for wrong shapes and for a query without a relevant item.
Ranks rank_queries(const at::Tensor& scores, std::span<const int64_t> query_groups,
                   std::span<const int64_t> gallery_groups, Ties ties = Ties::index_ascending);

// Both directions between films and tracks, many films to a track.
struct BothRanks {
  Ranks video_to_music;                // every film is a query
  Ranks music_to_video;                // every track that has films, all of them relevant
  std::vector<int64_t> asking_tracks;  // columns of the queries of music_to_video, ascending
};

// Where a direction has scores of its own, both [films, tracks]: a ranking that depends on its
// query.
struct DirectedScores {
  at::Tensor video_to_music, music_to_video;
};

// scores [films, tracks] as above; film_tracks[i] is the column of film i's track. Tracks without
// films only fill the gallery. Throws: InvalidArgument for wrong shapes and columns out of range.
BothRanks rank_both_ways(const at::Tensor& scores, std::span<const int64_t> film_tracks,
                         Ties ties = Ties::index_ascending);
BothRanks rank_both_ways(const DirectedScores& scores, std::span<const int64_t> film_tracks,
                         Ties ties = Ties::index_ascending);

double hit_rate(const Ranks& ranks, int64_t k);
double mean_rank(const Ranks& ranks);
double mean_log_rank(const Ranks& ranks);  // natural logarithm; 0 when every rank is 1
double mean_reciprocal_rank(const Ranks& ranks);
double median_rank(const Ranks& ranks);  // mean of the middle two for an even count

// Median of ranks of which some are absent (infinity).
enum class AbsentRanks { infinite, ignore };
struct MedianRank {
  double median = 0;   // infinite where no item was found
  int64_t absent = 0;  // ranks that were infinite
};
MedianRank median_rank(std::span<const double> ranks, AbsentRanks absent = AbsentRanks::infinite);

// Probability that k of `gallery` items drawn at random hold one of `relevant`:
// 1 - C(gallery - relevant, k) / C(gallery, k); 0.1 for (10, 1, 1).
double chance_hit(int64_t gallery, int64_t relevant, int64_t k);
// Mean over the queries.
double chance_hit_rate(const Ranks& ranks, int64_t k);

// Metrics of one ranked list at k.
struct ListMetrics {
  double hit = 0;        // 1 where the first k hold a relevant id
  double recall = 0;     // relevant ids in the first k / relevant ids
  double precision = 0;  // relevant ids in the first k / denominator
  double map = 0;        // sum over hits at i <= k of (hits so far)/i / min(relevant, denominator)
  double mrr = 0;        // 1/rank of the first relevant within k, else 0
  double ndcg = 0;       // gain 1/log2(rank+1), over that of the ideal order; each id once
};

struct ListOptions {
  // What precision and map divide by: min(k, length of the list) as VTM-Eval does, or k.
  enum class Denominator { returned, k } denominator = Denominator::returned;
  // Duplicates occupy positions; they count once in hit, recall, precision and ndcg, each time in
  // map and mrr. Refused unless allowed.
  bool allow_duplicates = false;
};

// Throws: InvalidArgument for k < 1, an empty relevant set, or duplicates. An empty list gives 0.
ListMetrics list_metrics(std::span<const int64_t> returned, std::span<const int64_t> relevant,
                         int64_t k, const ListOptions& options = {});

// The same for every row of a score matrix, ranked with ties by ascending index.
std::vector<ListMetrics> list_metrics(const at::Tensor& scores,
                                      std::span<const int64_t> query_groups,
                                      std::span<const int64_t> gallery_groups, int64_t k);
ListMetrics mean_of(std::span<const ListMetrics> metrics);

// Gallery indices of the `top` best scores of one row [gallery], ties by ascending index, NaN last.
std::vector<int64_t> ranking(const at::Tensor& row, int64_t top);

}  // namespace vmr::eval
