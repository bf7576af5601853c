// Exact top 10 of N x 256 (N = 100,000, or VMR_BENCH_ITEMS), single queries and batches of 64;
// peers: numpy, faiss IndexFlatIP.
#include <ATen/ops/randn.h>

#include "bench_case.h"
#include "vmr/retrieval/search.h"

int main(int argc, char** argv) {
  using namespace vmr;
  const int64_t count = bench::size_from_environment("VMR_BENCH_ITEMS", 100000);
  const auto items = at::randn({count, 256});
  const auto name = std::to_string(count) + " x 256, ";
  for (const int threads : {1, 2}) {
    for (const int batch : {1, 64}) {
      const auto queries = at::randn({batch, 256});
      bench::add({name + (batch == 1 ? "single" : "batch 64"), threads, "queries/s", double(batch)},
                 [items, queries, threads] {
                   retrieval::search_exact(items, queries, {.top = 10, .threads = threads});
                 });
    }
  }
  return bench::run(argc, argv);
}
