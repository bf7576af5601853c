#include "retrieval/shifted_sums.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace vmr::retrieval::detail {
namespace {

// Four floats, as every processor that we build for adds at once. GCC 12 leaves plain loops over
// the same arrays scalar where it unrolls the outer one.
using Lanes = float __attribute__((vector_size(16)));
constexpr size_t kLanes = 4, kRegisters = 8, kTile = kLanes * kRegisters;

void tile(const float* weights, const size_t* shifts, size_t terms, const float* row, float* sums) {
  Lanes total[kRegisters] = {};
  for (size_t i = 0; i < terms; ++i) {
    const float* from = row + shifts[i];
    const Lanes weight = {weights[i], weights[i], weights[i], weights[i]};
    for (size_t j = 0; j < kRegisters; ++j) {
      Lanes values;
      std::memcpy(&values, from + j * kLanes, sizeof values);
      total[j] += weight * values;
    }
  }
  std::memcpy(sums, total, sizeof total);
}

}  // namespace

void shifted_sums(const float* weights, const size_t* shifts, size_t terms, const float* row,
                  float* sums, size_t count) {
  size_t k = 0;
  for (; k + kTile <= count; k += kTile) tile(weights, shifts, terms, row + k, sums + k);
  for (; k < count; ++k) {
    float sum = 0;
    for (size_t i = 0; i < terms; ++i) sum += weights[i] * row[shifts[i] + k];
    sums[k] = sum;
  }
}

std::vector<double> sliding_products(const std::vector<float>& weights, const float* row,
                                     size_t count) {
  constexpr size_t kTerms = 64;  // at a time, so that rounding does not add up
  size_t shifts[kTerms];
  std::iota(shifts, shifts + kTerms, size_t(0));
  std::vector<float> part(count);
  std::vector<double> sums(count, 0.0);
  for (size_t begin = 0; begin < weights.size(); begin += kTerms) {
    const size_t terms = std::min(kTerms, weights.size() - begin);
    shifted_sums(weights.data() + begin, shifts, terms, row + begin, part.data(), count);
    for (size_t k = 0; k < count; ++k) sums[k] += double(part[k]);
  }
  return sums;
}

}  // namespace vmr::retrieval::detail
