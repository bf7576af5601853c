#include <cmath>

#include "retrieval/dot_kernel.h"
#include "retrieval/dot_tiles.h"

namespace vmr::retrieval {
namespace {

struct Lanes {
  float v[kLanes] = {};

  void load(const float* from) { std::memcpy(v, from, sizeof v); }
  void add_product(const Lanes& a, const Lanes& b) {
    for (int64_t i = 0; i < kLanes; ++i) v[i] = std::fma(a.v[i], b.v[i], v[i]);
  }
  float total() const {
    float s[kLanes];
    std::memcpy(s, v, sizeof s);
    for (int64_t half = kLanes / 2; half > 0; half /= 2)
      for (int64_t i = 0; i < half; ++i) s[i] += s[i + half];
    return s[0];
  }
};

}  // namespace

void dot_tiles_generic(const float* const* rows, int64_t row_count, const float* const* queries,
                       int64_t query_count, int64_t length, float* scores, int64_t stride) {
  dot_tiles<Lanes, 2, 2, 2>(rows, row_count, queries, query_count, length, scores, stride);
}

}  // namespace vmr::retrieval
