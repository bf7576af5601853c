// From expansions to flow on one pyramid level, as steps of farneback_grid.h. Flow is
// [pairs, 2, h, w]: to the right, downwards.
#pragma once

#include "video/farneback_grid.h"
#include "video/farneback_pixel.h"

namespace vmr::video::detail {

struct SlotPair {
  int32_t from, to;
};

// What the equations of a pair's pixels are made of.
struct PairView {
  const FourFloats* four;  // [slots, h, w]
  const float* mixed;      // [slots, h, w]
  const SlotPair* slots;   // by pair
  const float* flow;       // [pairs, 2, h, w]; null: no motion yet
  LevelSize size;

  VMR_HOST_DEVICE Expansion expansion(int64_t at) const {
    const FourFloats f = four[at];
    return {f.a, f.b, f.c, f.d, mixed[at]};
  }
  VMR_HOST_DEVICE static void add(Expansion& sum, const Expansion& e, float weight) {
    sum.by += weight * e.by;
    sum.bx += weight * e.bx;
    sum.ayy += weight * e.ayy;
    sum.axx += weight * e.axx;
    sum.axy += weight * e.axy;
  }
  VMR_HOST_DEVICE Equations equations(int pair, int x, int y) const {
    const int64_t pixels = size.pixels(), here = int64_t(y) * size.width + x;
    const SlotPair frames = slots[pair];
    const float dx = flow ? flow[2 * pair * pixels + here] : 0.0f;
    const float dy = flow ? flow[(2 * pair + 1) * pixels + here] : 0.0f;
    const BilinearPlace place =
        bilinear_place(float(x) + dx, float(y) + dy, size.width, size.height);
    Expansion to{0, 0, 0, 0, 0};
    if (place.inside) {
      const int64_t at = frames.to * pixels + int64_t(place.y) * size.width + place.x;
      const float right = place.part_x, left = 1 - right, low = place.part_y, up = 1 - low;
      add(to, expansion(at), up * left);
      add(to, expansion(at + 1), up * right);
      add(to, expansion(at + size.width), low * left);
      add(to, expansion(at + size.width + 1), low * right);
    }
    return equations_of(expansion(frames.from * pixels + here), to, place.inside, dx, dy,
                        border_weight_at(x, y, size.width, size.height));
  }
};

inline constexpr int kEquations = 5;  // numbers of an Equations

// The averaging window. kGaussian: weights; otherwise a box.
template <bool kGaussian, int kWeights>
struct Window {
  int radius;
  float box_weight;
  float weights[kGaussian ? kWeights : 1];  // of offsets 0..radius

  // out[j] = the sum around place j + radius.
  template <int kOutputs, class Load>
  VMR_HOST_DEVICE void sums(int r, const Load& load, float (&out)[kOutputs]) const {
    if constexpr (kGaussian) {
      for (int j = 0; j < kOutputs; ++j) {
        out[j] = gaussian_sum(r, weights, [&](int k) { return load(j + k); });
      }
    } else {
      box_sums<kOutputs>(r, load, out);
    }
  }
};

// Four neighbours of a row from the sums of their windows.
struct FourSolutions {
  float sums[kEquations][4];
  VMR_HOST_DEVICE void write(float factor, float* flow, LevelSize size, int pair, int x,
                             int y) const {
    if (x >= size.width || y >= size.height) return;
    Displacement d[4];
    VMR_UNROLL
    for (int i = 0; i < 4; ++i) {
      d[i] = solve({sums[0][i] * factor, sums[1][i] * factor, sums[2][i] * factor,
                    sums[3][i] * factor, sums[4][i] * factor});
    }
    float* right = flow + 2 * pair * size.pixels() + int64_t(y) * size.width + x;
    float* down = right + size.pixels();
    // Whole and aligned. Results of a chunk begin anywhere: after an odd number of odd pictures,
    // say.
    if (size.width % 4 == 0 && reinterpret_cast<std::uintptr_t>(right) % 16 == 0) {
      *reinterpret_cast<FourFloats*>(right) = {d[0].x, d[1].x, d[2].x, d[3].x};
      *reinterpret_cast<FourFloats*>(down) = {d[0].y, d[1].y, d[2].y, d[3].y};
      return;
    }
    for (int i = 0; i < 4 && x + i < size.width; ++i) {
      right[i] = d[i].x;
      down[i] = d[i].y;
    }
  }
};

// The flow from that of the coarser level, or from a first guess.
struct EnlargeStep {
  const float* coarse;  // [pairs, 2, down.inputs, across.inputs]
  FilterTable across, down;
  float factor;  // by which vectors grow
  float* flow;   // [pairs, 2, down.outputs, across.outputs]
  int pairs;

  static constexpr int kColumns = 32, kRows = 8, kThreads = kColumns * kRows;
  using Registers = NoRegisters;
  GridSize grid() const {
    return {ceil_div(across.outputs, kColumns), ceil_div(down.outputs, kRows), pairs};
  }
  int shared_bytes() const { return 0; }
  VMR_HOST_DEVICE int phases(Place) const { return 1; }
  VMR_HOST_DEVICE void run(int, Place at, void*, Registers&) const {
    const int x = at.x * kColumns + at.thread % kColumns, y = at.y * kRows + at.thread / kColumns;
    if (x >= across.outputs || y >= down.outputs) return;
    const int64_t plane = int64_t(down.inputs) * across.inputs;
    const float* right =
        coarse + 2 * at.z * plane + int64_t(down.first[y]) * across.inputs + across.first[x];
    float u = 0, v = 0;
    for (int j = 0; j < down.taps; ++j) {
      float row_u = 0, row_v = 0;
      for (int i = 0; i < across.taps; ++i) {
        const float weight = across.weight(i, x);
        row_u += weight * right[i];
        row_v += weight * right[plane + i];
      }
      u += down.weight(j, y) * row_u;
      v += down.weight(j, y) * row_v;
      right += across.inputs;
    }
    const int64_t pixels = int64_t(down.outputs) * across.outputs;
    float* out = flow + 2 * at.z * pixels + int64_t(y) * across.outputs + x;
    out[0] = u * factor;
    out[pixels] = v * factor;
  }
};

// The largest window that IterateStep can hold in 48 KiB.
inline constexpr int kFusedRadius = 8;

// The next estimate in one kernel: a block computes the equations of its pixels and of those a
// radius around in shared memory, sums them down in place, then across, and solves. What is
// computed twice costs less than to write and read five planes. kRadius: the radius where the
// compiler is to know it; 0: any to kFusedRadius.
template <int kRadius, bool kGaussian>
struct IterateStep {
  PairView from;
  Window<kGaussian, kFusedRadius + 1> window;
  float* next;
  int pairs;

  static constexpr int kTile = 32, kDown = 8, kAcross = 4, kThreads = kTile * kTile / kAcross;
  using Registers = NoRegisters;
  GridSize grid() const {
    return {ceil_div(from.size.width, kTile), ceil_div(from.size.height, kTile), pairs};
  }
  VMR_HOST_DEVICE int radius() const { return kRadius > 0 ? kRadius : window.radius; }
  VMR_HOST_DEVICE int side() const { return kTile + 2 * radius(); }
  // Odd, so that neighbouring rows lie in different banks.
  VMR_HOST_DEVICE int stride() const { return side() + 1; }
  VMR_HOST_DEVICE int plane() const { return side() * stride(); }
  int shared_bytes() const { return kEquations * plane() * int(sizeof(float)); }
  VMR_HOST_DEVICE int phases(Place) const { return 3; }

  VMR_HOST_DEVICE void run(int phase, Place at, void* shared, Registers&) const {
    float* tile = static_cast<float*>(shared);
    if (phase == 0) {
      for (int i = at.thread; i < side() * side(); i += kThreads)
        fill(at, i % side(), i / side(), tile);
    } else if (phase == 1) {
      for (int i = at.thread; i < kEquations * side(); i += kThreads) {
        sum_down(tile + i / side() * plane() + i % side());
      }
    } else {
      solve_across(at, tile);
    }
  }

  VMR_HOST_DEVICE void fill(Place at, int column, int row, float* tile) const {
    const int x = clamp_to(at.x * kTile + column - radius(), from.size.width);
    const int y = clamp_to(at.y * kTile + row - radius(), from.size.height);
    const Equations e = from.equations(at.z, x, y);
    float* out = tile + row * stride() + column;
    out[0] = e.gyy;
    out[plane()] = e.gxy;
    out[2 * plane()] = e.gxx;
    out[3 * plane()] = e.hy;
    out[4 * plane()] = e.hx;
  }

  // One thread has the whole column: a sum may take the place of its window's first row, which no
  // later sum needs.
  VMR_HOST_DEVICE void sum_down(float* column) const {
    for (int row = 0; row < kTile; row += kDown) {
      float* top = column + row * stride();
      float sums[kDown];
      window.template sums<kDown>(
          radius(), [&](int k) { return top[k * stride()]; }, sums);
      VMR_UNROLL
      for (int j = 0; j < kDown; ++j) top[j * stride()] = sums[j];
    }
  }

  VMR_HOST_DEVICE void solve_across(Place at, const float* tile) const {
    const int row = at.thread / (kTile / kAcross), column = at.thread % (kTile / kAcross) * kAcross;
    const float* begin = tile + row * stride() + column;
    FourSolutions solutions;
    VMR_UNROLL
    for (int p = 0; p < kEquations; ++p) {
      const float* values = begin + p * plane();
      window.template sums<kAcross>(
          radius(), [&](int k) { return values[k]; }, solutions.sums[p]);
    }
    solutions.write(kGaussian ? 1.0f : window.box_weight, next, from.size, at.z,
                    at.x * kTile + column, at.y * kTile + row);
  }
};

}  // namespace vmr::video::detail
