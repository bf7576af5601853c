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

void check_options(const SignificanceOptions& options) {
  VMR_CHECK(options.alpha > 0 && options.alpha < 1 && options.power_resamples >= 0 &&
                options.power_permutations >= 1,
            "compare_systems: expected 0 < alpha < 1, power_resamples >= 0 and power_permutations "
            ">= 1, got ",
            options.alpha, ", ", options.power_resamples, " and ", options.power_permutations);
}

bool holds(double difference, double adjusted_p, const SignificanceOptions& options) {
  return difference > 0 && adjusted_p < options.alpha;
}

// How many resamples each claim of the family holds in. The test looks at the clusters' sums alone,
// so each resample is a test of as many units of one query.
std::vector<int64_t> times_held(std::span<const PairedComparison> family,
                                const SignificanceOptions& options) {
  const size_t clusters = family.front().sums.size();
  std::vector<int64_t> units(clusters), held(family.size(), 0);
  std::iota(units.begin(), units.end(), int64_t{0});
  const std::vector<double> nothing(clusters, 0.0);
  std::vector<double> drawn(clusters), p_values(family.size()), differences(family.size());
  std::vector<size_t> places(clusters);
  Generator generator(options.bootstrap.seed);
  for (int64_t resample = 0; resample < options.power_resamples; ++resample) {
    for (size_t& place : places) place = generator.below(clusters);
    for (size_t claim = 0; claim < family.size(); ++claim) {
      for (size_t i = 0; i < clusters; ++i) drawn[i] = family[claim].sums[places[i]];
      const auto test = paired_cluster_test(
          drawn, nothing, units,
          {.permutations = options.power_permutations, .seed = generator.next()});
      p_values[claim] = test.p_value;
      differences[claim] = test.difference;
    }
    const auto adjusted = holm_adjusted(p_values);
    for (size_t claim = 0; claim < family.size(); ++claim) {
      held[claim] += holds(differences[claim], adjusted[claim], options);
    }
  }
  return held;
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
  check_options(options);
  const auto mean_a = mean_over_seeds(a, clusters.size(), "a");
  const auto mean_b = mean_over_seeds(b, clusters.size(), "b");
  std::vector<double> differences(clusters.size());
  for (size_t i = 0; i < differences.size(); ++i) differences[i] = mean_a[i] - mean_b[i];
  const auto test = paired_cluster_test(mean_a, mean_b, clusters, options.permutation);

  PairedComparison result;
  result.a = mean_of_values(mean_a);
  result.b = mean_of_values(mean_b);
  result.difference = cluster_bootstrap_mean(differences, clusters, options.bootstrap);
  result.p_value = test.p_value;
  result.exact = test.exact;
  result.sums = cluster_sums(differences, clusters);
  result.queries = static_cast<int64_t>(clusters.size());
  result.clusters = test.clusters;
  return result;
}

void judge_family(std::span<PairedComparison> family, const SignificanceOptions& options) {
  check_options(options);
  if (family.empty()) return;
  std::vector<double> p_values;
  for (const auto& comparison : family) {
    VMR_CHECK(comparison.sums.size() == family.front().sums.size(),
              "judge_family: expected comparisons over the same clusters, got ",
              family.front().sums.size(), " and ", comparison.sums.size());
    p_values.push_back(comparison.p_value);
  }
  const auto adjusted = holm_adjusted(p_values);
  for (size_t i = 0; i < family.size(); ++i) {
    family[i].adjusted_p = adjusted[i];
    family[i].holds = holds(family[i].difference.value, adjusted[i], options);
  }
  if (options.power_resamples == 0) return;
  const auto held = times_held(family, options);
  for (size_t i = 0; i < family.size(); ++i) {
    family[i].power = static_cast<double>(held[i]) / static_cast<double>(options.power_resamples);
  }
}

}  // namespace vmr::eval
