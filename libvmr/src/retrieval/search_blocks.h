// Exact search over items that lie in several blocks of memory.
#pragma once

#include <span>
#include <vector>

#include "vmr/retrieval/search.h"

namespace vmr::retrieval {

// Consecutive items: `count` rows of `length` floats, numbered from `first`.
struct ItemBlock {
  const float* rows = nullptr;
  int64_t count = 0;
  int64_t first = 0;
};

// A query's vectors laid end to end like an item's: the score is their inner product / vectors.
// Requires: blocks ascending in `first`, finite queries.
std::vector<std::vector<Neighbour>> search_blocks(std::span<const ItemBlock> blocks,
                                                  std::span<const float* const> queries,
                                                  int64_t length, int64_t vectors,
                                                  const ExactSearchOptions& options);

// Checks queries [queries, query vectors, dim] float32 and returns them contiguous as
// [queries, vectors, dim], one vector repeated where needed. Throws: InvalidArgument.
at::Tensor prepare_queries(const char* function, const at::Tensor& queries, int64_t vectors,
                           int64_t dim);

}  // namespace vmr::retrieval
