#include <immintrin.h>

#include "retrieval/dot_kernel.h"
#include "retrieval/dot_tiles.h"

namespace vmr::retrieval {
namespace {

struct Lanes {
  __m512 v = _mm512_setzero_ps();

  void load(const float* from) { v = _mm512_loadu_ps(from); }
  void add_product(const Lanes& a, const Lanes& b) { v = _mm512_fmadd_ps(a.v, b.v, v); }
  float total() const {
    const __m256 high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1));
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(v), high);
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
  }
};

}  // namespace

void dot_tiles_avx512(const float* const* rows, int64_t row_count, const float* const* queries,
                      int64_t query_count, int64_t length, float* scores, int64_t stride) {
  dot_tiles<Lanes, 4, 4, 4>(rows, row_count, queries, query_count, length, scores, stride);
}

}  // namespace vmr::retrieval
