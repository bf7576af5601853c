#include "vmr/eval/significance.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "eval/generator.h"
#include "vmr/core/error.h"

namespace vmr::eval {
namespace {

// Mean over seeds of every query's value.
std::vector<double> mean_over_seeds(const std::vector<std::vector<double>>& system, size_t queries,
                                    const char* name) {
  VMR_CHECK(!system.empty(), "compare_systems: system ", name, " has no seeds");
  std::vector<double> mean(queries, 0.0);
  for (const auto& seed : system) {
    VMR_CHECK(seed.size() == queries, "compare_systems: system ", name, " has ", seed.size(),
              " values in a seed, expected one for each of ", queries, " queries");
    for (size_t i = 0; i < queries; ++i) {
      VMR_CHECK(std::isfinite(seed[i]), "compare_systems: system ", name, ", query ", i,
                ": expected a number, got ", seed[i]);
      mean[i] += seed[i] / static_cast<double>(system.size());
    }
  }
  return mean;
}

// Sum of the differences of each cluster, in order of first appearance.
std::vector<double> cluster_sums(const std::vector<double>& differences,
                                 std::span<const int64_t> clusters) {
  std::unordered_map<int64_t, size_t> position;
  std::vector<double> sums;
  for (size_t i = 0; i < differences.size(); ++i) {
    const auto [entry, is_new] = position.try_emplace(clusters[i], sums.size());
    if (is_new) sums.push_back(0);
    sums[entry->second] += differences[i];
  }
  return sums;
}

// The test looks at the clusters' sums alone, so each resample is a test of as many units of one
// query.
double power_of(const std::vector<double>& sums, const SignificanceOptions& options) {
  if (options.power_resamples == 0) return std::numeric_limits<double>::quiet_NaN();
  std::vector<int64_t> units(sums.size());
  std::iota(units.begin(), units.end(), int64_t{0});
  const std::vector<double> nothing(sums.size(), 0.0);
  std::vector<double> drawn(sums.size());
  Generator generator(options.bootstrap.seed);
  int64_t rejected = 0;
  for (int64_t resample = 0; resample < options.power_resamples; ++resample) {
    for (double& sum : drawn) sum = sums[generator.below(sums.size())];
    const auto test =
        paired_cluster_test(drawn, nothing, units,
                            {.permutations = options.power_permutations, .seed = generator.next()});
    rejected += test.p_value <= options.alpha;
  }
  return static_cast<double>(rejected) / static_cast<double>(options.power_resamples);
}

double mean_of_values(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

PairedComparison compare_systems(const std::vector<std::vector<double>>& a,
                                 const std::vector<std::vector<double>>& b,
                                 std::span<const int64_t> clusters,
                                 const SignificanceOptions& options) {
  VMR_CHECK(!clusters.empty(), "compare_systems: no queries");
  VMR_CHECK(options.alpha > 0 && options.alpha < 1 && options.power_resamples >= 0 &&
                options.power_permutations >= 1,
            "compare_systems: expected 0 < alpha < 1, power_resamples >= 0 and power_permutations "
            ">= 1, got ",
            options.alpha, ", ", options.power_resamples, " and ", options.power_permutations);
  const auto mean_a = mean_over_seeds(a, clusters.size(), "a");
  const auto mean_b = mean_over_seeds(b, clusters.size(), "b");
  std::vector<double> differences(clusters.size());
  for (size_t i = 0; i < differences.size(); ++i) differences[i] = mean_a[i] - mean_b[i];
  const auto test = paired_cluster_test(mean_a, mean_b, clusters, options.permutation);

  PairedComparison result;
  result.a = mean_of_values(mean_a);
  result.b = mean_of_values(mean_b);
  result.difference = cluster_bootstrap_mean(differences, clusters, options.bootstrap);
  result.p_value = result.adjusted_p = test.p_value;
  result.exact = test.exact;
  result.power = power_of(cluster_sums(differences, clusters), options);
  result.queries = static_cast<int64_t>(clusters.size());
  result.clusters = test.clusters;
  return result;
}

void adjust_family(std::span<PairedComparison> family) {
  std::vector<double> p_values;
  for (const auto& comparison : family) p_values.push_back(comparison.p_value);
  const auto adjusted = holm_adjusted(p_values);
  for (size_t i = 0; i < family.size(); ++i) family[i].adjusted_p = adjusted[i];
}

}  // namespace vmr::eval
