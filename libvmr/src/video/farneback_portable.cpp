// Farneback's stages for any processor: 4 lanes in the compiler's own vectors.
#include "video/farneback_lanes.h"

namespace vmr::video::detail {
namespace {

struct Lanes4 {
  static constexpr int kLanes = 4;
  static constexpr bool kPermutes = false, kShifts = false;
  typedef float Floats __attribute__((vector_size(16)));
  typedef int Ints __attribute__((vector_size(16)));
  using Mask = Ints;  // all bits of a lane

  static Floats load(const float* p) {
    Floats v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
  }
  static void store(float* p, Floats v) { __builtin_memcpy(p, &v, sizeof v); }
  static Floats splat(float v) { return Floats{v, v, v, v}; }
  static Floats load_bytes(const uint8_t* p) {
    return Floats{float(p[0]), float(p[1]), float(p[2]), float(p[3])};
  }
  // Products are rounded here: a fused product in software would cost more than all the rest.
  static Floats fma(Floats a, Floats b, Floats c) { return a * b + c; }
  static Floats root(Floats a) {
    for (int i = 0; i < 4; ++i) a[i] = __builtin_sqrtf(a[i]);
    return a;
  }
  // a b - c d through double, which holds the products exactly.
  static Floats product_difference(Floats a, Floats b, Floats c, Floats d) {
    Floats result;
    for (int i = 0; i < 4; ++i) {
      result[i] = float(double(a[i]) * b[i] - double(c[i]) * d[i]);
    }
    return result;
  }
  static Ints load_ints(const int32_t* p) {
    Ints v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
  }
  static void store_ints(int32_t* p, Ints v) { __builtin_memcpy(p, &v, sizeof v); }
  static Ints splat_int(int v) { return Ints{v, v, v, v}; }
  static Ints iota() { return Ints{0, 1, 2, 3}; }
  static int first(Ints v) { return v[0]; }
  static Floats to_floats(Ints v) { return __builtin_convertvector(v, Floats); }
  static Ints floor(Floats v) {
    // Casting what int cannot hold is undefined: such places lie outside of any picture.
    const Mask fits = (v > -1e9f) & (v < 1e9f);
    const Ints cut = __builtin_convertvector(select(fits, v, splat(-1e9f)), Ints);
    return cut + (to_floats(cut) > v);
  }
  static Ints smaller(Ints v, int limit) { return v < limit ? v : splat_int(limit); }
  // 0 <= v < limit
  static Mask below(Ints v, int limit) { return (v >= 0) & (v < limit); }
  static Mask equal(Ints a, Ints b) { return a == b; }
  static Mask at_least_zero(Floats v) { return v >= 0; }
  static Mask both(Mask a, Mask b) { return a & b; }
  static bool all(Mask m) { return (m[0] & m[1] & m[2] & m[3]) != 0; }
  static Floats select(Mask m, Floats yes, Floats no) { return m ? yes : no; }
  static Ints select_ints(Mask m, Ints yes, Ints no) { return m ? yes : no; }
  static Floats gather(const float* p, Ints at) {
    return Floats{p[at[0]], p[at[1]], p[at[2]], p[at[3]]};
  }

  static Floats permute_one(Floats v, Ints at) {
    return Floats{v[at[0]], v[at[1]], v[at[2]], v[at[3]]};
  }
  template <int kBits>  // of the lanes that come from `yes`
  static Floats blend(Floats no, Floats yes) {
    return Ints{-(kBits & 1), -(kBits >> 1 & 1), -(kBits >> 2 & 1), -(kBits >> 3)} ? yes : no;
  }

  // Between 4 pixels `at` floats from `pixels`, their right neighbours and those below, `stride`
  // floats on; `right` and `below` are parts of a pixel.
  static void bilinear(const float* pixels, int64_t stride, const int32_t* at, const float* right,
                       const float* below, Floats* values) {
    const auto mix = [](auto from, auto to, float part) { return from - (from - to) * part; };
    for (int i = 0; i < 4; ++i) {
      const float *here = pixels + at[i], *next = here + kPixelFloats;
      const Floats four = mix(mix(load(here), load(here + stride), below[i]),
                              mix(load(next), load(next + stride), below[i]), right[i]);
      for (int p = 0; p < 4; ++p) values[p][i] = four[p];
      values[4][i] = mix(mix(here[4], here[stride + 4], below[i]),
                         mix(next[4], next[stride + 4], below[i]), right[i]);
    }
  }
};

}  // namespace

const FarnebackKernels* farneback_portable() {
  static constexpr FarnebackKernels kKernels = Stages<Lanes4>::kernels("portable");
  return &kKernels;
}

}  // namespace vmr::video::detail
