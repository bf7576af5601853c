#include "vmr/eval/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "eval/generator.h"
#include "vmr/core/error.h"

namespace vmr::eval {
namespace {

struct Cluster {
  double sum = 0;
  double count = 0;
};

// In order of first appearance, so that draws do not depend on a hash.
std::vector<Cluster> clusters_of(std::span<const double> values, std::span<const int64_t> labels) {
  std::unordered_map<int64_t, size_t> position;
  std::vector<Cluster> clusters;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto [entry, is_new] = position.try_emplace(labels[i], clusters.size());
    if (is_new) clusters.emplace_back();
    clusters[entry->second].sum += values[i];
    clusters[entry->second].count += 1;
  }
  return clusters;
}

// Linear interpolation between order statistics, as numpy.quantile.
double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double mean_of_all(const std::vector<Cluster>& clusters) {
  Cluster total;
  for (const Cluster& c : clusters) total = {total.sum + c.sum, total.count + c.count};
  return total.sum / total.count;
}

}  // namespace

ConfidenceInterval cluster_bootstrap_mean(std::span<const double> values,
                                          std::span<const int64_t> clusters,
                                          const BootstrapOptions& options) {
  VMR_CHECK(!values.empty() && values.size() == clusters.size(),
            "cluster_bootstrap_mean: expected a cluster for each of at least one value, got ",
            values.size(), " values and ", clusters.size(), " clusters");
  VMR_CHECK(options.resamples >= 1 && options.level > 0 && options.level < 1,
            "cluster_bootstrap_mean: expected resamples >= 1 and 0 < level < 1, got ",
            options.resamples, " and ", options.level);
  const std::vector<Cluster> units = clusters_of(values, clusters);
  ConfidenceInterval result;
  result.value = mean_of_all(units);
  if (units.size() < 2) {
    result.low = result.high = std::numeric_limits<double>::quiet_NaN();
    return result;
  }
  Generator generator(options.seed);
  std::vector<double> means(static_cast<size_t>(options.resamples));
  for (double& mean : means) {
    Cluster drawn;
    for (size_t i = 0; i < units.size(); ++i) {
      const Cluster& unit = units[generator.below(units.size())];
      drawn.sum += unit.sum;
      drawn.count += unit.count;
    }
    mean = drawn.sum / drawn.count;
  }
  std::sort(means.begin(), means.end());
  result.low = quantile(means, (1 - options.level) / 2);
  result.high = quantile(means, (1 + options.level) / 2);
  return result;
}

PairedTest paired_cluster_test(std::span<const double> a, std::span<const double> b,
                               std::span<const int64_t> clusters,
                               const PermutationOptions& options) {
  VMR_CHECK(!a.empty() && a.size() == b.size() && a.size() == clusters.size(),
            "paired_cluster_test: expected equally many values and clusters, got ", a.size(), ", ",
            b.size(), " and ", clusters.size());
  VMR_CHECK(options.permutations >= 1, "paired_cluster_test: expected permutations >= 1, got ",
            options.permutations);
  std::vector<double> differences(a.size());
  for (size_t i = 0; i < a.size(); ++i) differences[i] = a[i] - b[i];
  const std::vector<Cluster> units = clusters_of(differences, clusters);
  PairedTest result;
  result.difference = mean_of_all(units);
  result.clusters = static_cast<int64_t>(units.size());
  double observed = 0, size = 0;
  for (const Cluster& unit : units) {
    observed += unit.sum;
    size += std::abs(unit.sum);
  }
  // Sums in another order differ by rounding; equal ones must count as equally extreme.
  const double threshold = std::abs(observed) - 1e-12 * size;
  const auto flipped_sum = [&](auto flip) {
    double sum = 0;
    for (size_t i = 0; i < units.size(); ++i) sum += flip(i) ? -units[i].sum : units[i].sum;
    return std::abs(sum);
  };
  const size_t n = units.size();
  if (n < 63 && (int64_t{1} << n) <= options.permutations) {
    result.exact = true;
    const uint64_t patterns = uint64_t{1} << n;
    int64_t extreme = 0;
    for (uint64_t pattern = 0; pattern < patterns; ++pattern)
      extreme += flipped_sum([&](size_t i) { return (pattern >> i) & 1; }) >= threshold;
    result.p_value = static_cast<double>(extreme) / static_cast<double>(patterns);
    return result;
  }
  Generator generator(options.seed);
  std::vector<uint64_t> bits((n + 63) / 64);
  int64_t extreme = 0;
  for (int64_t i = 0; i < options.permutations; ++i) {
    for (uint64_t& word : bits) word = generator.next();
    extreme += flipped_sum([&](size_t c) { return (bits[c / 64] >> (c % 64)) & 1; }) >= threshold;
  }
  result.p_value = static_cast<double>(1 + extreme) / static_cast<double>(1 + options.permutations);
  return result;
}

std::vector<double> holm_adjusted(std::span<const double> p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t x, size_t y) { return p_values[x] < p_values[y]; });
  std::vector<double> adjusted(p_values.size());
  double highest = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const double p = p_values[order[i]];
    VMR_CHECK(p >= 0 && p <= 1, "holm_adjusted: expected p-values in 0..1, got ", p);
    highest = std::max(highest, std::min(1.0, p * static_cast<double>(order.size() - i)));
    adjusted[order[i]] = highest;
  }
  return adjusted;
}

}  // namespace vmr::eval
