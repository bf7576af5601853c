// The loops around 16 lanes of floats, for the files that compile them for one instruction set.
// Such a file defines Lanes in an unnamed namespace, so that no instance of these templates is
// shared with code for other processors; hence nothing of the standard library but memcpy here.
#pragma once

#include <cstdint>
#include <cstring>

namespace vmr::retrieval {

constexpr int64_t kLanes = 16;

// R rows against Q queries, everything in registers.
template <typename Lanes, int R, int Q>
inline void dot_tile(const float* const* rows, const float* const* queries, int64_t length,
                     float* scores, int64_t stride) {
  Lanes sums[R][Q];
  int64_t at = 0;
  for (; at + kLanes <= length; at += kLanes) {
    Lanes query[Q];
    for (int q = 0; q < Q; ++q) query[q].load(queries[q] + at);
    for (int r = 0; r < R; ++r) {
      Lanes row;
      row.load(rows[r] + at);
      for (int q = 0; q < Q; ++q) sums[r][q].add_product(row, query[q]);
    }
  }
  if (at < length) {
    const auto bytes = static_cast<size_t>(length - at) * sizeof(float);
    for (int r = 0; r < R; ++r) {
      float row_end[kLanes] = {};
      std::memcpy(row_end, rows[r] + at, bytes);
      for (int q = 0; q < Q; ++q) {
        float query_end[kLanes] = {};
        std::memcpy(query_end, queries[q] + at, bytes);
        Lanes row, query;
        row.load(row_end);
        query.load(query_end);
        sums[r][q].add_product(row, query);
      }
    }
  }
  for (int q = 0; q < Q; ++q)
    for (int r = 0; r < R; ++r) scores[q * stride + r] = sums[r][q].total();
}

// Tiles of R x Q, and of one at the ends; single queries take R1 rows at a time.
template <typename Lanes, int R, int Q, int R1>
inline void dot_tiles(const float* const* rows, int64_t row_count, const float* const* queries,
                      int64_t query_count, int64_t length, float* scores, int64_t stride) {
  int64_t q = 0;
  for (; q + Q <= query_count; q += Q) {
    int64_t r = 0;
    for (; r + R <= row_count; r += R)
      dot_tile<Lanes, R, Q>(rows + r, queries + q, length, scores + q * stride + r, stride);
    for (; r < row_count; ++r)
      dot_tile<Lanes, 1, Q>(rows + r, queries + q, length, scores + q * stride + r, stride);
  }
  for (; q < query_count; ++q) {
    int64_t r = 0;
    for (; r + R1 <= row_count; r += R1)
      dot_tile<Lanes, R1, 1>(rows + r, queries + q, length, scores + q * stride + r, stride);
    for (; r < row_count; ++r)
      dot_tile<Lanes, 1, 1>(rows + r, queries + q, length, scores + q * stride + r, stride);
  }
}

}  // namespace vmr::retrieval
