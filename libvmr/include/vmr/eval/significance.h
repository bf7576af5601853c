// Is one system better than another? A paired comparison over the same queries with the track (the
// cluster) as the unit: films of one track stand or fall together, so they are resampled and
// flipped together. Runs of several seeds are averaged per query first; what is compared is the
// mean system, and the number of units does not grow with the number of seeds.
//   difference  mean over queries of a - b, interval by bootstrap over clusters
//   p_value     sign-flip permutation test, two-sided: exact where 2^clusters patterns fit into
//               permutation.permutations, else (b + 1) / (m + 1) of m drawn ones
//   holds       difference > 0 and adjusted_p < alpha, adjusted by Holm over the family of claims
//   power       share of bootstrap resamples of the clusters, the same for the whole family, in
//               which the claim holds in this sense: how often this experiment, repeated with
//               effects as large as those seen, would find it. It says nothing new about a p-value
//               that is already small.
// Equal seeds give equal numbers everywhere. Thread-safe: plain functions.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "vmr/eval/bootstrap.h"

namespace vmr::eval {

struct SignificanceOptions {
  BootstrapOptions bootstrap;
  PermutationOptions permutation;
  double alpha = 0.05;                // of a claim
  int64_t power_resamples = 200;      // 0 = no power is estimated
  int64_t power_permutations = 1000;  // of the test within each resample
};

struct PairedComparison {
  double a = 0, b = 0;            // means over queries
  ConfidenceInterval difference;  // of a - b
  double p_value = 1;
  bool exact = false;  // p_value counts all patterns
  int64_t queries = 0, clusters = 0;
  std::vector<double> sums;  // [clusters] of the differences, in order of first appearance
  // Of judge_family():
  double adjusted_p = 1;
  bool holds = false;
  double power = std::numeric_limits<double>::quiet_NaN();  // NaN where not estimated
};

// a, b [seeds][queries]: a value for each query (a hit, a reciprocal rank) of every seed; the two
// systems may have different numbers of seeds. clusters [queries]: the query's track.
// One seed, a = (1, 1, 1), b = 0, three clusters: difference 1, p 2/8.
// Throws: InvalidArgument for no seeds or queries, unequal lengths, values that are no numbers, and
// options out of range.
PairedComparison compare_systems(const std::vector<std::vector<double>>& a,
                                 const std::vector<std::vector<double>>& b,
                                 std::span<const int64_t> clusters,
                                 const SignificanceOptions& options = {});

// Sets adjusted_p, holds and power of the claims "a is better than b" of one family.
// Throws: InvalidArgument for comparisons over different clusters, and options out of range.
void judge_family(std::span<PairedComparison> family, const SignificanceOptions& options = {});

}  // namespace vmr::eval
