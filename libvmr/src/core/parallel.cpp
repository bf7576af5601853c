#include "vmr/core/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace vmr {

int thread_count(int threads) {
  return threads > 0 ? threads
                     : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

int64_t for_each_item(int64_t count, int threads, const std::function<void(int64_t)>& body,
                      std::stop_token stop) {
  threads = static_cast<int>(std::min<int64_t>(thread_count(threads), count));
  std::atomic<int64_t> next{0}, begun{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  std::mutex error_mutex;
  const auto work = [&] {
    while (!failed && !stop.stop_requested()) {
      const int64_t item = next.fetch_add(1);
      if (item >= count) return;
      begun.fetch_add(1);
      try {
        body(item);
      } catch (...) {
        std::lock_guard lock(error_mutex);
        if (!error) error = std::current_exception();
        failed = true;
      }
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int i = 1; i < threads; ++i) workers.emplace_back(work);
    work();
  }
  if (error) std::rethrow_exception(error);
  return begun;
}

}  // namespace vmr
