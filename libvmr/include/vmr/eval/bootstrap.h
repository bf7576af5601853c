// Honest uncertainty of retrieval figures. Queries that share a track are not independent, so the
// unit that is resampled or sign-flipped is the cluster (the track), not the query. All draws come
// from a generator of our own: the same seed gives the same numbers everywhere.
// Thread-safe: plain functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vmr::eval {

struct BootstrapOptions {
  int64_t resamples = 1000;
  double level = 0.95;  // share of resamples between low and high
  uint64_t seed = 0;    // equal seed and clusters: the same resamples, whatever the values
};

struct ConfidenceInterval {
  double value = 0;          // mean over queries
  double low = 0, high = 0;  // percentiles, linearly interpolated; NaN for fewer than 2 clusters
};

// Mean of values [queries]; each resample draws as many clusters as there are, with replacement,
// and takes the mean over all their queries. Throws: InvalidArgument for empty or unequal inputs.
ConfidenceInterval cluster_bootstrap_mean(std::span<const double> values,
                                          std::span<const int64_t> clusters,
                                          const BootstrapOptions& options = {});

struct PermutationOptions {
  int64_t permutations = 10000;
  uint64_t seed = 0;
};

struct PairedTest {
  double difference = 0;  // mean over queries of a - b
  double p_value = 1;     // two-sided
  int64_t clusters = 0;
  bool exact = false;  // all 2^clusters sign patterns were counted instead of drawn
};

// Sign-flip permutation test of "a and b are equally good": the sign of every cluster's summed
// difference is flipped at random; p = (1 + patterns at least as extreme) / (1 + patterns), or the
// plain share where all patterns fit into `permutations`. Clusters {1, 2, 3} all of one sign: 2/8.
PairedTest paired_cluster_test(std::span<const double> a, std::span<const double> b,
                               std::span<const int64_t> clusters,
                               const PermutationOptions& options = {});

// Holm's step-down correction: adjusted p-values in the order given; {0.01, 0.04, 0.03} becomes
// {0.03, 0.06, 0.06}.
std::vector<double> holm_adjusted(std::span<const double> p_values);

}  // namespace vmr::eval
