#include "retrieval/null_level.h"

#include <algorithm>
#include <cmath>

#include "retrieval/shifted_sums.h"

namespace vmr::retrieval::detail {

double share_below(double value, double crossings) {
  const double below = 0.5 * std::erfc(-value / std::sqrt(2.0));
  const double top = std::max(value, 0.0);
  return below * std::exp(-crossings * std::exp(-0.5 * top * top));
}

NullLevel null_of_largest(double crossings) {
  constexpr double kFirst = -7, kLast = 12, kStep = 0.02;
  const auto steps = int64_t(std::lround((kLast - kFirst) / kStep));
  double mean = 0, square = 0, before = 0;
  for (int64_t i = 0; i < steps; ++i) {
    const double low = kFirst + double(i) * kStep;
    const double until = share_below(low + kStep, crossings);
    const double middle = low + 0.5 * kStep;
    mean += middle * (until - before);
    square += middle * middle * (until - before);
    before = until;
  }
  return {mean, std::sqrt(square - mean * mean)};
}

int64_t count_crossings(const std::vector<float>& curve) {
  double mean = 0;
  for (const float value : curve) mean += double(value) / double(curve.size());
  int64_t crossings = 0;
  for (size_t i = 1; i < curve.size(); ++i) {
    crossings += double(curve[i - 1]) < mean && double(curve[i]) >= mean;
  }
  return crossings;
}

double correlation_variance(const std::vector<double>& rho_a, const std::vector<double>& rho_b,
                            int64_t n) {
  const auto lags = int64_t(std::min(rho_a.size(), rho_b.size()));
  double sum = 0;
  for (int64_t k = 0; k < std::min(lags, n); ++k) {
    const double share = (k == 0 ? 1 : 2) * (1 - double(k) / double(n));
    sum += share * rho_a[size_t(k)] * rho_b[size_t(k)];
  }
  return std::clamp(sum / double(n), 1 / double(n), 1.0);
}

std::vector<double> autocorrelation(const std::vector<float>& series, int64_t lags) {
  const auto count = int64_t(series.size());
  std::vector<double> result(size_t(lags), 0.0);
  std::vector<float> centred = series;
  double mean = 0;
  for (const float value : series) mean += double(value) / double(count);
  for (float& value : centred) value -= float(mean);
  const auto some = size_t(std::min(lags, count));
  auto padded = centred;
  padded.resize(padded.size() + some, 0.0f);
  const auto products = sliding_products(centred, padded.data(), some);
  std::copy(products.begin(), products.end(), result.begin());
  const double power = count > 0 && lags > 0 ? result[0] : 0;
  for (double& value : result) value = power > 1e-9 ? value / power : 0;
  return result;
}

}  // namespace vmr::retrieval::detail
