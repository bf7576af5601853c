// Work on independent items by a few threads. The body decides what an item's failure means; an
// exception that leaves it stops all workers and is rethrown here.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

namespace vmr {

// What a setting of `threads` means: itself, or one per core where it is 0 or less. At least 1.
int thread_count(int threads);

// Calls body(item) for item = 0..count-1, each once, on up to thread_count(threads) threads.
// Returns the number of items begun: fewer than count only after a stop request. Items are handed
// out in order. Thread-safe.
int64_t for_each_item(int64_t count, int threads, const std::function<void(int64_t)>& body,
                      std::stop_token stop = {});

}  // namespace vmr
