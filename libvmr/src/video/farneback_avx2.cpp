// Farneback's stages for 8 lanes. Compiled for AVX2 and FMA; run where those are.
#include "video/farneback_kernels.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

#include "core/instruction_sets.h"
#include "video/farneback_bilinear.h"
#include "video/farneback_lanes.h"

namespace vmr::video::detail {
namespace {

struct Lanes8 {
  static constexpr int kLanes = 8;
  static constexpr bool kPermutes = true, kShifts = true;
  typedef float Floats __attribute__((vector_size(32)));
  typedef int Ints __attribute__((vector_size(32)));
  using Mask = Ints;  // all bits of a lane

  static Floats load(const float* p) { return (Floats)_mm256_loadu_ps(p); }
  static void store(float* p, Floats v) { _mm256_storeu_ps(p, (__m256)v); }
  static Floats splat(float v) { return (Floats)_mm256_set1_ps(v); }
  static Floats load_bytes(const uint8_t* p) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return (Floats)_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
  }
  static Floats fma(Floats a, Floats b, Floats c) {
    return (Floats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
  }
  // a b - c d without the cancellation of two rounded products (Kahan).
  static Floats product_difference(Floats a, Floats b, Floats c, Floats d) {
    const __m256 cd = (__m256)(c * d);
    return (Floats)_mm256_fmsub_ps((__m256)a, (__m256)b, cd) +
           (Floats)_mm256_fnmadd_ps((__m256)c, (__m256)d, cd);
  }
  static Floats root(Floats a) { return (Floats)_mm256_sqrt_ps((__m256)a); }
  static Ints load_ints(const int32_t* p) {
    return (Ints)_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static void store_ints(int32_t* p, Ints v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), (__m256i)v);
  }
  static Ints splat_int(int v) { return (Ints)_mm256_set1_epi32(v); }
  static Ints iota() { return Ints{0, 1, 2, 3, 4, 5, 6, 7}; }
  static int first(Ints v) { return v[0]; }
  static Floats to_floats(Ints v) { return (Floats)_mm256_cvtepi32_ps((__m256i)v); }
  // Places beyond int become its smallest value, or the one below it: outside of any picture.
  static Ints floor(Floats v) {
    const __m256i cut = _mm256_cvttps_epi32((__m256)v);
    const __m256 above = _mm256_cmp_ps(_mm256_cvtepi32_ps(cut), (__m256)v, _CMP_GT_OQ);
    return (Ints)_mm256_add_epi32(cut, _mm256_castps_si256(above));
  }
  static Ints smaller(Ints v, int limit) {
    return (Ints)_mm256_min_epi32((__m256i)v, _mm256_set1_epi32(limit));
  }
  // 0 <= v < limit
  static Mask below(Ints v, int limit) {
    const __m256i most = _mm256_set1_epi32(limit - 1);
    return equal((Ints)_mm256_min_epu32((__m256i)v, most), v);
  }
  static Mask equal(Ints a, Ints b) { return (Mask)_mm256_cmpeq_epi32((__m256i)a, (__m256i)b); }
  static Mask at_least_zero(Floats v) {
    return (Mask)_mm256_cmp_ps((__m256)v, _mm256_setzero_ps(), _CMP_GE_OQ);
  }
  static Mask both(Mask a, Mask b) { return a & b; }
  static bool all(Mask m) { return _mm256_movemask_ps((__m256)m) == 0xff; }
  static Floats select(Mask m, Floats yes, Floats no) {
    return (Floats)_mm256_blendv_ps((__m256)no, (__m256)yes, (__m256)m);
  }
  static Ints select_ints(Mask m, Ints yes, Ints no) {
    return (Ints)_mm256_blendv_epi8((__m256i)no, (__m256i)yes, (__m256i)m);
  }
  // Lane at[i] of the 16 floats of low and high.
  static Floats permute(Floats low, Floats high, Ints at) {
    const __m256 from_low = _mm256_permutevar8x32_ps((__m256)low, (__m256i)at);
    const __m256 from_high = _mm256_permutevar8x32_ps((__m256)high, (__m256i)at);
    // Bit 3 says which half; the blend looks at the sign.
    return (Floats)_mm256_blendv_ps(from_low, from_high,
                                    _mm256_castsi256_ps(_mm256_slli_epi32((__m256i)at, 28)));
  }
  // Lanes k.. of low, then of high.
  template <int k>
  static Floats shift(Floats low, Floats high) {
    const __m256i middle = _mm256_permute2x128_si256((__m256i)low, (__m256i)high, 0x21);
    if constexpr (k < 4) {
      return (Floats)_mm256_alignr_epi8(middle, (__m256i)low, 4 * k);
    } else {
      return (Floats)_mm256_alignr_epi8((__m256i)high, middle, 4 * (k - 4));
    }
  }
  static Floats gather(const float* p, Ints at) {
    return (Floats)_mm256_i32gather_ps(p, (__m256i)at, 4);
  }

  static Floats permute_one(Floats v, Ints at) {
    return (Floats)_mm256_permutevar8x32_ps((__m256)v, (__m256i)at);
  }
  template <int kBits>  // of the lanes that come from `yes`
  static Floats blend(Floats no, Floats yes) {
    return (Floats)_mm256_blend_ps((__m256)no, (__m256)yes, kBits);
  }

  // Between 8 pixels `at` floats from `pixels`, their right neighbours and those below, `stride`
  // floats on; `right` and `below` are parts of a pixel.
  static void bilinear(const float* pixels, int64_t stride, const int32_t* at, const float* right,
                       const float* below, Floats* values) {
    const auto pixel = [&](int i) __attribute__((always_inline)) {
      return bilinear_pixel(pixels + at[i], stride, right + i, below + i);
    };
    __m256 four[4], fifth[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const __m256 first = pixel(j), second = pixel(j + 4);
      four[j] = _mm256_permute2f128_ps(first, second, 0x20);
      fifth[j] = _mm256_permute2f128_ps(first, second, 0x31);
    }
    const __m256d ab_low = (__m256d)_mm256_unpacklo_ps(four[0], four[1]);
    const __m256d ab_high = (__m256d)_mm256_unpackhi_ps(four[0], four[1]);
    const __m256d cd_low = (__m256d)_mm256_unpacklo_ps(four[2], four[3]);
    const __m256d cd_high = (__m256d)_mm256_unpackhi_ps(four[2], four[3]);
    values[0] = (Floats)_mm256_unpacklo_pd(ab_low, cd_low);
    values[1] = (Floats)_mm256_unpackhi_pd(ab_low, cd_low);
    values[2] = (Floats)_mm256_unpacklo_pd(ab_high, cd_high);
    values[3] = (Floats)_mm256_unpackhi_pd(ab_high, cd_high);
    values[4] = (Floats)_mm256_unpacklo_pd((__m256d)_mm256_unpacklo_ps(fifth[0], fifth[1]),
                                           (__m256d)_mm256_unpacklo_ps(fifth[2], fifth[3]));
  }
};

}  // namespace

const FarnebackKernels* farneback_avx2() {
  static constexpr FarnebackKernels kKernels = Stages<Lanes8>::kernels("AVX2");
  return vmr::detail::has_avx2() ? &kKernels : nullptr;
}

}  // namespace vmr::video::detail
#else
namespace vmr::video::detail {
const FarnebackKernels* farneback_avx2() { return nullptr; }
}  // namespace vmr::video::detail
#endif
