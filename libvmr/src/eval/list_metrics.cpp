#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "eval/score_rows.h"
#include "vmr/core/error.h"
#include "vmr/eval/retrieval_metrics.h"

namespace vmr::eval {
namespace {

double gain(size_t rank) { return 1 / std::log2(static_cast<double>(rank + 1)); }

}  // namespace

ListMetrics list_metrics(std::span<const int64_t> returned, std::span<const int64_t> relevant,
                         int64_t k, const ListOptions& options) {
  VMR_CHECK(k >= 1, "list_metrics: expected k of at least 1, got ", k);
  VMR_CHECK(!relevant.empty(), "list_metrics: the relevant set is empty");
  if (!options.allow_duplicates) {
    std::unordered_set<int64_t> seen;
    for (const int64_t id : returned)
      VMR_CHECK(seen.insert(id).second, "list_metrics: id ", id,
                " is returned more than once; remove duplicates or allow them");
  }
  const std::unordered_set<int64_t> wanted(relevant.begin(), relevant.end());
  const size_t looked_at = std::min(static_cast<size_t>(k), returned.size());
  const double denominator = options.denominator == ListOptions::Denominator::returned
                                 ? static_cast<double>(looked_at)
                                 : static_cast<double>(k);
  ListMetrics result;
  if (looked_at == 0) return result;
  std::unordered_set<int64_t> found;
  double hits = 0, precision_sum = 0, gained = 0, ideal = 0;
  for (size_t i = 1; i <= looked_at; ++i) {
    if (!wanted.contains(returned[i - 1])) continue;
    precision_sum += ++hits / static_cast<double>(i);
    if (result.mrr == 0) result.mrr = 1 / static_cast<double>(i);
    if (found.insert(returned[i - 1]).second) gained += gain(i);
  }
  const size_t ideal_hits = std::min(wanted.size(), static_cast<size_t>(k));
  for (size_t i = 1; i <= ideal_hits; ++i) ideal += gain(i);
  const auto distinct = static_cast<double>(found.size());
  result.hit = found.empty() ? 0 : 1;
  result.recall = distinct / static_cast<double>(wanted.size());
  result.precision = distinct / denominator;
  result.map = precision_sum / std::min(static_cast<double>(wanted.size()), denominator);
  result.ndcg = gained / ideal;
  return result;
}

std::vector<int64_t> ranking(const at::Tensor& row, int64_t top) {
  VMR_CHECK(row.defined() && row.dim() == 1, "ranking: expected scores [gallery]");
  VMR_CHECK(top >= 0, "ranking: expected top of at least 0, got ", top);
  ScoreRows rows("ranking", row.unsqueeze(0));
  const std::vector<double>& scores = rows.row(0);
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  const auto kept = std::min(static_cast<size_t>(top), order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(kept), order.end(),
                    [&](int64_t a, int64_t b) {
                      const double x = scores[static_cast<size_t>(a)];
                      const double y = scores[static_cast<size_t>(b)];
                      return is_tied(x, y) ? a < b : is_better(x, y);
                    });
  order.resize(kept);
  return order;
}

std::vector<ListMetrics> list_metrics(const at::Tensor& scores,
                                      std::span<const int64_t> query_groups,
                                      std::span<const int64_t> gallery_groups, int64_t k) {
  const ScoreRows rows("list_metrics", scores);
  VMR_CHECK(query_groups.size() == static_cast<size_t>(rows.rows()) &&
                gallery_groups.size() == static_cast<size_t>(rows.columns()),
            "list_metrics: expected one group for each of ", rows.rows(), " queries and ",
            rows.columns(), " gallery items, got ", query_groups.size(), " and ",
            gallery_groups.size());
  std::vector<ListMetrics> result;
  for (size_t q = 0; q < query_groups.size(); ++q) {
    std::vector<int64_t> relevant;
    for (size_t i = 0; i < gallery_groups.size(); ++i)
      if (gallery_groups[i] == query_groups[q]) relevant.push_back(static_cast<int64_t>(i));
    const auto returned = ranking(scores.select(0, static_cast<int64_t>(q)), k);
    result.push_back(list_metrics(returned, relevant, k));
  }
  return result;
}

ListMetrics mean_of(std::span<const ListMetrics> metrics) {
  VMR_CHECK(!metrics.empty(), "mean_of: expected at least one query, got none");
  const auto mean = [&](double ListMetrics::*field) {
    double sum = 0;
    for (const ListMetrics& m : metrics) sum += m.*field;
    return sum / static_cast<double>(metrics.size());
  };
  return {.hit = mean(&ListMetrics::hit),
          .recall = mean(&ListMetrics::recall),
          .precision = mean(&ListMetrics::precision),
          .map = mean(&ListMetrics::map),
          .mrr = mean(&ListMetrics::mrr),
          .ndcg = mean(&ListMetrics::ndcg)};
}

}  // namespace vmr::eval
