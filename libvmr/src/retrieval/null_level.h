// How high the best of many offsets is by chance.
#pragma once

#include <vector>

#include "vmr/retrieval/synchronisation.h"

namespace vmr::retrieval::detail {

// The largest value of a smooth standard normal curve that rises through its mean `crossings`
// times, by Rice's formula: P(largest < u) = Phi(u) exp(-crossings exp(-u^2 / 2)), u > 0.
// 0 crossings: one value, mean 0, sd 1. 100 crossings: mean 3.2, sd 0.4.
double share_below(double value, double crossings);
NullLevel null_of_largest(double crossings);

// How often `curve` rises through its mean.
int64_t count_crossings(const std::vector<float>& curve);

// Variance of the correlation of two unrelated series of n values each, from their
// autocorrelations: sum over lags of (1 - |k|/n) rho_a(k) rho_b(k) / n (Bartlett 1935), at most 1.
// The autocorrelations hold lags 0..; the shorter one counts.
double correlation_variance(const std::vector<double>& rho_a, const std::vector<double>& rho_b,
                            int64_t n);

// Lags 0..lags-1, that of lag 0 = 1; all 0 for a constant series.
std::vector<double> autocorrelation(const std::vector<float>& series, int64_t lags);

}  // namespace vmr::retrieval::detail
