// The averages of Farneback's equations over a window, and their solution, for vectors of any
// width. Included by farneback_lanes.h.
#pragma once

#include "video/farneback_equations.h"

namespace vmr::video::detail {
namespace {

template <class L>
struct Window {
  using F = typename L::Floats;
  using I = typename L::Ints;
  static constexpr int N = L::kLanes;

  // Room of one row: sums over the window's rows with their borders, then over its columns.
  struct Room {
    int64_t stride;  // of a plane's row
    float *sums, *solved, *spare, *targets;
  };

  static Room room_of(float* scratch, int width, int radius) {
    Room room;
    room.stride = row_floats(width + 2 * radius);
    room.sums = scratch + aligned_pad(radius);
    room.solved = scratch + room.stride + kLeftPad;
    room.spare = room.solved + kEquationPlanes * room.stride;
    room.targets = room.spare + 2 * room.stride;
    return room;
  }

  static void iterate(const WindowView& window, const FlowStep& step, float* ring, float* scratch,
                      int y0, int y1, bool first) {
    const Room room = room_of(scratch, step.size.width, window.radius);
    if (window.weights) {
      iterate_gaussian(window, step, ring + kLeftPad, room, y0, y1, first);
    } else {
      iterate_box(window, step, ring + kLeftPad, room, y0, y1, first);
    }
  }

  // ---- box ----

  // The rows of a block, from the last up: each becomes the sum of itself and those below.
  static void sum_up(float* block, int rows, int64_t stride, int width) {
    const int64_t row = kEquationPlanes * stride;
    for (int p = 0; p < kEquationPlanes; ++p) {
      for (int i = rows - 2; i >= 0; --i) {
        float *to = block + i * row + p * stride, *below = to + row;
        for (int x = 0; x < width; x += N) L::store(to + x, L::load(to + x) + L::load(below + x));
      }
    }
  }

  // A plane's row of sums over the window's rows: the rest of the last block, and of the next one
  // what is above the row, which `running` adds up.
  struct RowSums {
    const float *rest, *row;
    float* running;
    // kRows of the next block: none, one, more.
    template <int kRows>
    F at(int x) const {
      F sum = L::load(rest + x);
      if constexpr (kRows > 0) {
        F above = L::load(row + x);
        if constexpr (kRows > 1) above = above + L::load(running + x);
        L::store(running + x, above);
        sum = sum + above;
      }
      return sum;
    }
  };

  // Sums of 2 radius + 1 neighbours by doubling: lengths 1, 2, 4, ... are added where the window's
  // length has that bit.
  static void box_across(const float* row, int radius, int width, float* room, int64_t stride,
                         float* out) {
    const int length = 2 * radius + 1;
    const float* power = row - radius;  // sums of 1, 2, 4, ... from each place on
    int begin = 0;                      // of what is not added yet
    bool first = true;
    for (int size = 1, turn = 0; size <= length; size *= 2, ++turn) {
      if (length & size) {
        for (int x = 0; x < width; x += N) {
          const F part = L::load(power + begin + x);
          L::store(out + x, first ? part : L::load(out + x) + part);
        }
        first = false;
        begin += size;
      }
      if (2 * size > length) break;
      float* doubled = room + (turn % 2) * stride;
      for (int x = 0; x <= width + 2 * radius - 2 * size; x += N) {
        L::store(doubled + x, L::load(power + x) + L::load(power + size + x));
      }
      power = doubled;
    }
  }

  // The usual window of 15 in registers: sums of 3 neighbours, of 6, and 6 + 6 + 3.
  template <int kRows>
  static void box_15(const RowSums& sums, int width, float* out) {
    const int last = (width - 1) / N;  // the vector that holds the right border
    const I border = L::splat_int(width - 1 - last * N);
    const I to_border = L::smaller(L::iota(), width - 1 - last * N);
    F end = L::splat(0);
    const auto at = [&](int k) __attribute__((always_inline)) {
      if (k < last) return sums.template at<kRows>(k * N);
      if (k == last) {
        end = sums.template at<kRows>(k * N);
        return L::permute(end, end, to_border);
      }
      return L::permute(end, end, border);
    };
    Line<L> line, threes;
    line.centre = at(0);
    line.left = L::permute(line.centre, line.centre, L::splat_int(0));
    line.right = at(1);
    const auto three = [&]() __attribute__((always_inline)) {
      return line.template at<-1>() + line.centre + line.template at<1>();
    };
    threes.left = line.left + line.left + line.left;
    threes.centre = three();
    const auto six = [&](F left, F here) __attribute__((always_inline)) {
      return L::template shift<N - 3>(left, here) + here;  // from 4 before to 1 after
    };
    F sixes = six(threes.left, threes.centre);
    for (int k = 0; k <= last; ++k) {
      line.next(at(k + 2));
      threes.right = three();
      const F next = six(threes.centre, threes.right);
      L::store(out + k * N, (sixes + L::template shift<6>(sixes, next)) +
                                L::template shift<N - 6>(threes.left, threes.centre));
      sixes = next;
      threes.left = threes.centre;
      threes.centre = threes.right;
    }
  }

  template <int kRows>
  static void box_row(const float* rest, float* running, const float* row, int64_t stride,
                      int radius, int width, const Room& room) {
    for (int p = 0; p < kEquationPlanes; ++p) {
      const int64_t plane = p * stride, out = p * room.stride;
      const RowSums sums{rest + plane, row + plane, running + plane};
      if constexpr (L::kShifts) {
        if (radius == 7) {
          box_15<kRows>(sums, width, room.solved + out);
          continue;
        }
      }
      for (int x = 0; x < width; x += N) {
        L::store(room.sums + x, sums.template at<kRows>(x));
      }
      replicate_borders(room.sums, width, radius);
      box_across(room.sums, radius, width, room.spare, room.stride, room.solved + out);
    }
  }

  // ring: the rows of the window, then their running sum. The window of row y of a block is the
  // rest of that block from y on, and the first rows of the next: sums without a subtraction, so
  // that nothing of a strong edge stays behind in flat rows below it. A row of the next block takes
  // the place of the one that left the window.
  static void iterate_box(const WindowView& window, const FlowStep& step, float* ring,
                          const Room& room, int y0, int y1, bool first) {
    const int radius = window.radius, rows = window_rows(radius), width = step.size.width;
    const int64_t stride = row_floats(width), row = kEquationPlanes * stride;
    float* running = ring + rows * row;
    const auto slot = [&](int y) { return ring + (y + radius) % rows * row; };
    const auto fill = [&](int y) {
      if (y > 0 && y < step.size.height)
        return EquationRows<L>::compute(step, y, slot(y), stride, room.targets);
      if (y == -radius) return EquationRows<L>::compute(step, 0, slot(y), stride, room.targets);
      // Rows beyond the border repeat it.
      const float* from = slot(y - 1);
      float* to = slot(y);
      for (int64_t i = 0; i < row; i += N) L::store(to + i, L::load(from + i));
    };
    int ready = first ? y0 - radius : y0 + radius;  // rows above are in the ring
    for (int y = y0; y < y1; ++y) {
      for (; ready <= y + radius; ++ready) fill(ready);
      const int i = y % rows;
      const float *rest = ring + i * row, *above = slot(y + radius);
      if (i == 0) {
        sum_up(ring, rows, stride, width);
        box_row<0>(rest, running, above, stride, radius, width, room);
      } else if (i == 1) {
        box_row<1>(rest, running, above, stride, radius, width, room);
      } else {
        box_row<2>(rest, running, above, stride, radius, width, room);
      }
      solve_row(room, L::splat(window.box_weight), step, y);
    }
  }

  static void solve_row(const Room& room, F weight, const FlowStep& step, int y) {
    const F small = L::splat(1e-3f), one = L::splat(1);
    const float* sums = room.solved;
    const int64_t stride = room.stride;
    const int width = step.size.width;
    float *u = step.next.row(y, 0), *v = step.next.row(y, 1);
    for (int x = 0; x < width; x += N) {
      const F gyy = L::load(sums + x) * weight, gxy = L::load(sums + stride + x) * weight;
      const F gxx = L::load(sums + 2 * stride + x) * weight;
      const F hy = L::load(sums + 3 * stride + x) * weight;
      const F hx = L::load(sums + 4 * stride + x) * weight;
      const F scale = one / (L::product_difference(gyy, gxx, gxy, gxy) + small);
      L::store(u + x, L::product_difference(gyy, hx, gxy, hy) * scale);
      L::store(v + x, L::product_difference(gxx, hy, gxy, hx) * scale);
    }
    // The spare floats are read as vectors of pixels that are outside.
    for (int x = width; x % N != 0; ++x) u[x] = v[x] = 0;
  }

  // ---- Gaussian ----

  static void gaussian_across(const float* row, const WindowView& window, int width, float* out) {
    for (int x = 0; x < width; x += N) {
      F sum = L::load(row + x) * L::splat(window.weights[0]);
      for (int k = 1; k <= window.radius; ++k) {
        sum = L::fma(L::load(row + x - k) + L::load(row + x + k), L::splat(window.weights[k]), sum);
      }
      L::store(out + x, sum);
    }
  }

  static void iterate_gaussian(const WindowView& window, const FlowStep& step, float* rows_begin,
                               const Room& room, int y0, int y1, bool first) {
    const int radius = window.radius, rows = window_rows(radius), width = step.size.width;
    const int height = step.size.height;
    const int64_t stride = row_floats(width);
    const auto slot = [&](int y) { return rows_begin + y % rows * kEquationPlanes * stride; };
    int ready = first ? larger(y0 - radius, 0) : y0 + radius;  // rows above are in the ring
    for (int y = y0; y < y1; ++y) {
      for (; ready <= smaller(y + radius, height - 1); ++ready) {
        EquationRows<L>::compute(step, ready, slot(ready), stride, room.targets);
      }
      for (int p = 0; p < kEquationPlanes; ++p) {
        const auto ring = [&](int at) { return slot(clamped(at, height)) + p * stride; };
        for (int x = 0; x < width; x += N) {
          F sum = L::load(ring(y) + x) * L::splat(window.weights[0]);
          for (int k = 1; k <= radius; ++k) {
            sum = L::fma(L::load(ring(y - k) + x) + L::load(ring(y + k) + x),
                         L::splat(window.weights[k]), sum);
          }
          L::store(room.sums + x, sum);
        }
        replicate_borders(room.sums, width, radius);
        gaussian_across(room.sums, window, width, room.solved + p * room.stride);
      }
      solve_row(room, L::splat(1), step, y);
    }
  }
};

}  // namespace
}  // namespace vmr::video::detail
