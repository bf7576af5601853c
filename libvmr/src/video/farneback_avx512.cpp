// Farneback's stages for 16 lanes. Compiled for AVX-512 (F, BW, DQ, VL); run where those are.
#include "video/farneback_kernels.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#include <immintrin.h>

#include "core/instruction_sets.h"
#include "video/farneback_bilinear.h"
#include "video/farneback_lanes.h"

namespace vmr::video::detail {
namespace {

struct Lanes16 {
  static constexpr int kLanes = 16;
  static constexpr bool kPermutes = true, kShifts = true;
  typedef float Floats __attribute__((vector_size(64)));
  typedef int Ints __attribute__((vector_size(64)));
  using Mask = __mmask16;

  static Floats load(const float* p) { return (Floats)_mm512_loadu_ps(p); }
  static void store(float* p, Floats v) { _mm512_storeu_ps(p, (__m512)v); }
  static Floats splat(float v) { return (Floats)_mm512_set1_ps(v); }
  static Floats load_bytes(const uint8_t* p) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return (Floats)_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
  }
  static Floats fma(Floats a, Floats b, Floats c) {
    return (Floats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
  }
  // a b - c d without the cancellation of two rounded products (Kahan).
  static Floats product_difference(Floats a, Floats b, Floats c, Floats d) {
    const __m512 cd = (__m512)(c * d);
    return (Floats)_mm512_fmsub_ps((__m512)a, (__m512)b, cd) +
           (Floats)_mm512_fnmadd_ps((__m512)c, (__m512)d, cd);
  }
  static Floats root(Floats a) { return (Floats)_mm512_sqrt_ps((__m512)a); }
  static Ints load_ints(const int32_t* p) { return (Ints)_mm512_loadu_si512(p); }
  static void store_ints(int32_t* p, Ints v) { _mm512_storeu_si512(p, (__m512i)v); }
  static Ints splat_int(int v) { return (Ints)_mm512_set1_epi32(v); }
  static Ints iota() { return Ints{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}; }
  static int first(Ints v) { return _mm512_cvtsi512_si32((__m512i)v); }
  static Floats to_floats(Ints v) { return (Floats)_mm512_cvtepi32_ps((__m512i)v); }
  // Places beyond int become its smallest value, or the one below it: outside of any picture.
  static Ints floor(Floats v) {
    const __m512i cut = _mm512_cvttps_epi32((__m512)v);
    const Mask above = _mm512_cmp_ps_mask(_mm512_cvtepi32_ps(cut), (__m512)v, _CMP_GT_OQ);
    return (Ints)_mm512_mask_sub_epi32(cut, above, cut, _mm512_set1_epi32(1));
  }
  static Ints smaller(Ints v, int limit) {
    return (Ints)_mm512_min_epi32((__m512i)v, _mm512_set1_epi32(limit));
  }
  // 0 <= v < limit
  static Mask below(Ints v, int limit) {
    return _mm512_cmplt_epu32_mask((__m512i)v, _mm512_set1_epi32(limit));
  }
  static Mask equal(Ints a, Ints b) { return _mm512_cmpeq_epi32_mask((__m512i)a, (__m512i)b); }
  static Mask at_least_zero(Floats v) {
    return _mm512_cmp_ps_mask((__m512)v, _mm512_setzero_ps(), _CMP_GE_OQ);
  }
  static Mask both(Mask a, Mask b) { return a & b; }
  static bool all(Mask m) { return m == 0xffff; }
  static Floats select(Mask m, Floats yes, Floats no) {
    return (Floats)_mm512_mask_blend_ps(m, (__m512)no, (__m512)yes);
  }
  static Ints select_ints(Mask m, Ints yes, Ints no) {
    return (Ints)_mm512_mask_blend_epi32(m, (__m512i)no, (__m512i)yes);
  }
  // Lane at[i] of the 32 floats of low and high.
  static Floats permute(Floats low, Floats high, Ints at) {
    return (Floats)_mm512_permutex2var_ps((__m512)low, (__m512i)at, (__m512)high);
  }
  // Lanes k.. of low, then of high.
  template <int k>
  static Floats shift(Floats low, Floats high) {
    return (Floats)_mm512_alignr_epi32((__m512i)high, (__m512i)low, k);
  }
  static Floats gather(const float* p, Ints at) {
    return (Floats)_mm512_i32gather_ps((__m512i)at, p, 4);
  }

  static Floats permute_one(Floats v, Ints at) {
    return (Floats)_mm512_permutexvar_ps((__m512i)at, (__m512)v);
  }
  template <int kBits>  // of the lanes that come from `yes`
  static Floats blend(Floats no, Floats yes) {
    return (Floats)_mm512_mask_blend_ps(kBits, (__m512)no, (__m512)yes);
  }

  // Between 16 pixels `at` floats from `pixels`, their right neighbours and those below, `stride`
  // floats on; `right` and `below` are parts of a pixel.
  static void bilinear(const float* pixels, int64_t stride, const int32_t* at, const float* right,
                       const float* below, Floats* values) {
    const auto pixel = [&](int i) __attribute__((always_inline)) {
      return bilinear_pixel(pixels + at[i], stride, right + i, below + i);
    };
    __m512 four[4], fifth[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const __m512 first = _mm512_insertf32x8(_mm512_castps256_ps512(pixel(j)), pixel(j + 4), 1);
      const __m512 second =
          _mm512_insertf32x8(_mm512_castps256_ps512(pixel(j + 8)), pixel(j + 12), 1);
      four[j] = _mm512_shuffle_f32x4(first, second, 0x88);
      fifth[j] = _mm512_shuffle_f32x4(first, second, 0xdd);
    }
    const __m512d ab_low = (__m512d)_mm512_unpacklo_ps(four[0], four[1]);
    const __m512d ab_high = (__m512d)_mm512_unpackhi_ps(four[0], four[1]);
    const __m512d cd_low = (__m512d)_mm512_unpacklo_ps(four[2], four[3]);
    const __m512d cd_high = (__m512d)_mm512_unpackhi_ps(four[2], four[3]);
    values[0] = (Floats)_mm512_unpacklo_pd(ab_low, cd_low);
    values[1] = (Floats)_mm512_unpackhi_pd(ab_low, cd_low);
    values[2] = (Floats)_mm512_unpacklo_pd(ab_high, cd_high);
    values[3] = (Floats)_mm512_unpackhi_pd(ab_high, cd_high);
    values[4] = (Floats)_mm512_unpacklo_pd((__m512d)_mm512_unpacklo_ps(fifth[0], fifth[1]),
                                           (__m512d)_mm512_unpacklo_ps(fifth[2], fifth[3]));
  }
};

}  // namespace

const FarnebackKernels* farneback_avx512() {
  static constexpr FarnebackKernels kKernels = Stages<Lanes16>::kernels("AVX-512");
  return vmr::detail::has_avx512() ? &kKernels : nullptr;
}

}  // namespace vmr::video::detail
#else
namespace vmr::video::detail {
const FarnebackKernels* farneback_avx512() { return nullptr; }
}  // namespace vmr::video::detail
#endif
