// What is made of flow fields, as steps of farneback_grid.h. Flow is [pairs, 2, h, w]. Sums are
// added in an order that hangs on the size of the picture alone, in double.
#pragma once

#include <cfloat>

#include "video/farneback_grid.h"
#include "video/farneback_pixel.h"

namespace vmr::video::detail {

struct LengthsStep {
  const float* flow;
  int64_t pixels;
  float* lengths;  // [pairs, h, w]
  int pairs;

  static constexpr int kThreads = 256;
  using Registers = NoRegisters;
  GridSize grid() const { return {ceil_div(pixels, kThreads), 1, pairs}; }
  int shared_bytes() const { return 0; }
  VMR_HOST_DEVICE int phases(Place) const { return 1; }
  VMR_HOST_DEVICE void run(int, Place at, void*, Registers&) const {
    const int64_t pixel = int64_t(at.x) * kThreads + at.thread;
    if (pixel >= pixels) return;
    const float* right = flow + 2 * at.z * pixels + pixel;
    lengths[at.z * pixels + pixel] = vector_length(right[0], right[pixels]);
  }
};

// The lengths of a part of the picture, summed by direction: the block writes each thread's pixel
// as (bin, length) and each thread adds up those of one bin, all threads' shares of a bin are added
// as a tree. Without directions all lengths are in one bin.
struct BinStep {
  const float* flow;
  int64_t pixels;
  bool directions;
  int bins;
  double* sums;  // [pairs, parts(pixels), bins]
  int pairs;

  static constexpr int kThreads = 256, kRounds = 16, kPart = kThreads * kRounds;
  VMR_HOST_DEVICE static int parts(int64_t pixels) { return ceil_div(pixels, kPart); }
  struct Registers {
    double sum = 0;
  };
  // Up to kThreads bins a block.
  GridSize grid() const { return {parts(pixels), ceil_div(bins, kThreads), pairs}; }
  struct Shared {
    double sums[kThreads];
    float lengths[kThreads];
    int bins[kThreads];
  };
  int shared_bytes() const { return int(sizeof(Shared)); }
  static constexpr int kTreePhases = 8;  // kThreads = 2^8
  VMR_HOST_DEVICE int phases(Place) const { return 2 * kRounds + 1 + kTreePhases; }

  VMR_HOST_DEVICE void run(int phase, Place at, void* memory, Registers& registers) const {
    Shared& shared = *static_cast<Shared*>(memory);
    const int here = smaller_of(bins - at.y * kThreads, kThreads);
    // Thread t adds every shares-th pixel of bin t % here, from pixel `share` on.
    const int shares = kThreads / here, share = at.thread / here;
    const int bin = at.y * kThreads + at.thread % here;
    if (phase < 2 * kRounds) {
      if (phase % 2 == 0) {
        load(at, phase / 2, shared);
      } else if (share < shares) {
        for (int i = share; i < kThreads; i += shares) {
          if (shared.bins[i] == bin) registers.sum += double(shared.lengths[i]);
        }
      }
    } else if (phase == 2 * kRounds) {
      shared.sums[at.thread] = registers.sum;
    } else {
      const int step = kThreads >> (phase - 2 * kRounds);
      if (share < step && share + step < shares) {
        shared.sums[at.thread] += shared.sums[at.thread + step * here];
      }
      if (step == 1 && share == 0) {
        sums[(int64_t(at.z) * parts(pixels) + at.x) * bins + bin] = shared.sums[at.thread];
      }
    }
  }

  VMR_HOST_DEVICE void load(Place at, int round, Shared& shared) const {
    const int64_t pixel = int64_t(at.x) * kPart + round * kThreads + at.thread;
    int bin = -1;
    float length = 0;
    if (pixel < pixels) {
      const float* right = flow + 2 * at.z * pixels + pixel;
      const float dx = right[0], dy = right[pixels];
      length = vector_length(dx, dy);
      if (!directions) {
        bin = 0;
      } else if (length <= FLT_MAX) {
        bin = direction_bin(dx, dy, bins);
      }
    }
    shared.lengths[at.thread] = length;
    shared.bins[at.thread] = bin;
  }
};

// The sums of the parts, over the number of pixels.
struct CollectStep {
  const double* sums;  // [pairs, parts, bins]
  int64_t pixels;
  int parts, bins;
  float* means;  // [pairs, bins]
  int pairs;

  static constexpr int kThreads = 64;
  using Registers = NoRegisters;
  GridSize grid() const { return {ceil_div(bins, kThreads), 1, pairs}; }
  int shared_bytes() const { return 0; }
  VMR_HOST_DEVICE int phases(Place) const { return 1; }
  VMR_HOST_DEVICE void run(int, Place at, void*, Registers&) const {
    const int bin = at.x * kThreads + at.thread;
    if (bin >= bins) return;
    const double* part = sums + int64_t(at.z) * parts * bins + bin;
    double sum = 0;
    for (int i = 0; i < parts; ++i) sum += part[int64_t(i) * bins];
    means[int64_t(at.z) * bins + bin] = float(sum / double(pixels));
  }
};

}  // namespace vmr::video::detail
