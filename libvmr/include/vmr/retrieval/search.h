// Exact search: the `top` items of highest inner product, by one pass over all of them. Items and
// queries may be several vectors each; the score is the mean of the vectors' dot products.
// The arithmetic has one order (16 partial sums, then a fixed tree), so that a query's answer has
// the same bits for any number of threads, any batch it came in, and any filter. Equal scores are
// ordered by ascending index. Thread-safe: plain functions, no state between calls.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "vmr/retrieval/bitmap.h"

namespace vmr::retrieval {

struct Neighbour {
  int64_t index = 0;
  float score = 0;
  bool operator==(const Neighbour&) const = default;
};

struct ExactSearchOptions {
  int64_t top = 10;
  const Bitmap* allowed = nullptr;  // nullptr = all; else one bit per item
  int threads = 0;                  // 0: one per core; changes speed only
};

// items [items, dim] or [items, vectors, dim], queries [queries, dim] or [queries, vectors, dim],
// float32, CPU; a query of one vector meets every vector of an item. Returns for every query the
// best first, min(top, allowed items) of them always.
// Throws: InvalidArgument for other shapes, for queries that are not finite, for top < 0.
// Requires: items finite (a score that overflows to NaN ranks last).
std::vector<std::vector<Neighbour>> search_exact(const at::Tensor& items, const at::Tensor& queries,
                                                 const ExactSearchOptions& options = {});

}  // namespace vmr::retrieval
