// Pins that every item is done once, that stop requests end the work and errors reach the caller.
#include "vmr/core/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace vmr {
namespace {

TEST(ForEachItem, DoesEveryItemOnceForAnyThreadCount) {
  for (int threads : {1, 2, 5}) {
    std::vector<std::atomic<int>> seen(100);
    EXPECT_EQ(for_each_item(100, threads, [&](int64_t i) { ++seen[static_cast<size_t>(i)]; }), 100);
    for (const auto& count : seen) EXPECT_EQ(count, 1);
  }
}

TEST(ThreadCount, IsTheSettingOrOnePerCore) {
  EXPECT_EQ(thread_count(3), 3);
  EXPECT_GE(thread_count(0), 1);
  EXPECT_EQ(thread_count(-1), thread_count(0));
}

TEST(ForEachItem, StopsCleanlyBetweenItems) {
  std::stop_source source;
  std::atomic<int> done{0};
  const auto begun = for_each_item(
      1000, 2,
      [&](int64_t) {
        if (++done == 10) source.request_stop();
      },
      source.get_token());
  EXPECT_EQ(begun, done);
  EXPECT_LT(begun, 1000);
}

TEST(ForEachItem, RethrowsTheFirstError) {
  EXPECT_THROW(for_each_item(10, 2,
                             [](int64_t i) {
                               if (i == 3) throw std::runtime_error("x");
                             }),
               std::runtime_error);
  EXPECT_EQ(for_each_item(0, 2, [](int64_t) { FAIL(); }), 0);
}

}  // namespace
}  // namespace vmr
