// What the steps of Farneback's flow share. Each instruction set's file defines a type of lanes in
// an anonymous namespace and instantiates the steps for it, so that no code of one set is ever
// merged with another's; for the same reason nothing of the standard library is called here.
#pragma once

#include <cstdint>

#include "video/farneback_kernels.h"

// The compiler must not keep vectors in memory between these steps.
#define VMR_INLINE __attribute__((always_inline)) static inline

namespace vmr::video::detail {
namespace {

inline int smaller(int a, int b) { return a < b ? a : b; }
inline int larger(int a, int b) { return a < b ? b : a; }
inline int clamped(int i, int n) { return i < 0 ? 0 : i < n ? i : n - 1; }

// The first pixel of plane p of a set of scratch rows of `floats` each.
inline float* scratch_row(float* scratch, int64_t floats, int64_t p) {
  return scratch + p * floats + kLeftPad;
}

// Where a row with `pad` pixels before its first begins, so that whole vectors are aligned.
inline int64_t aligned_pad(int pad) { return pad <= kLeftPad ? kLeftPad : (pad + 15) / 16 * 16; }

// Copies the border pixel `pad` times to either side.
inline void replicate_borders(float* row, int width, int pad) {
  for (int i = 1; i <= pad; ++i) row[-i] = row[0];
  for (int i = 0; i < pad; ++i) row[width + i] = row[width - 1];
}

// Three vectors of a row in a line, of which any place can be had without touching memory again.
template <class L>
struct Line {
  using F = typename L::Floats;
  F left, centre, right;
  template <int kOff>
  F at() const {
    if constexpr (kOff == 0) return centre;
    if constexpr (kOff > 0) return L::template shift<kOff>(centre, right);
    return L::template shift<L::kLanes + kOff>(left, centre);
  }
  void next(F v) {
    left = centre;
    centre = right;
    right = v;
  }
  static Line begin(const float* row) {
    return {L::load(row - L::kLanes), L::load(row), L::load(row + L::kLanes)};
  }
};

}  // namespace
}  // namespace vmr::video::detail
