// Inner products in one fixed order: 16 partial sums, element i into sum i mod 16 with fused
// multiply-add, then halves added until one is left. Which rows and queries are computed together
// and which instructions do it changes the speed only.
#pragma once

#include <cstdint>

namespace vmr::retrieval {

// Scores of `row_count` x `query_count` into scores[query * stride + row]. Rows and queries have
// `length` floats each, anywhere in memory.
using DotTiles = void (*)(const float* const* rows, int64_t row_count, const float* const* queries,
                          int64_t query_count, int64_t length, float* scores, int64_t stride);

// One file each, compiled for its instruction set; the generic one is the definition.
void dot_tiles_generic(const float* const* rows, int64_t row_count, const float* const* queries,
                       int64_t query_count, int64_t length, float* scores, int64_t stride);
void dot_tiles_avx2(const float* const* rows, int64_t row_count, const float* const* queries,
                    int64_t query_count, int64_t length, float* scores, int64_t stride);
void dot_tiles_avx512(const float* const* rows, int64_t row_count, const float* const* queries,
                      int64_t query_count, int64_t length, float* scores, int64_t stride);

struct NamedDotTiles {
  const char* name;
  DotTiles run;
};

// What this processor runs, fastest first, ending with the generic one; ends at run == nullptr.
const NamedDotTiles* available_dot_tiles();
inline DotTiles fastest_dot_tiles() { return available_dot_tiles()->run; }

}  // namespace vmr::retrieval
