// Pins back-pressure, draining after close and wake-up of waiting producers.
#include "vmr/core/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace vmr {
namespace {

TEST(BoundedQueue, ProducerNeverGetsMoreThanTheCapacityAhead) {
  BoundedQueue<int> queue(3);
  std::atomic<int> pushed{0};
  std::jthread producer([&] {
    for (int i = 0; i < 50; ++i) {
      queue.push(i);
      ++pushed;
    }
    queue.close();
  });
  int popped = 0;
  while (auto item = queue.pop()) {
    EXPECT_EQ(*item, popped++);
    EXPECT_LE(pushed - popped, 4);  // three inside and the one being counted
  }
  EXPECT_EQ(popped, 50);
}

TEST(BoundedQueue, AbortWakesAWaitingProducerAndDropsItems) {
  BoundedQueue<int> queue(1);
  ASSERT_TRUE(queue.push(1));
  bool accepted = true;
  std::thread producer([&] { accepted = queue.push(2); });
  queue.abort();
  producer.join();
  EXPECT_FALSE(accepted);
  EXPECT_FALSE(queue.pop().has_value());
}

}  // namespace
}  // namespace vmr
