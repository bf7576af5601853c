#include "vmr/core/memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <iostream>
#include <memory>

namespace vmr {
namespace {

constexpr size_t kBytes = 48 << 20, kPage = 4096;

// Page faults of writing to a new block twelve times.
long faults() {
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  for (char turn = 0; turn < 12; ++turn) {
    const std::unique_ptr<char[]> block(new char[kBytes]);
    for (size_t i = 0; i < kBytes; i += kPage) {
      *const_cast<volatile char*>(block.get() + i) = turn;
    }
  }
  getrusage(RUSAGE_SELF, &after);
  return after.ru_minflt - before.ru_minflt;
}

// In a process of its own: it changes how this one would keep its memory.
TEST(MemoryTest, FreedBlocksAreNotFetchedAgain) {
#ifndef __GLIBC__
  GTEST_SKIP() << "keep_freed_memory() is for glibc";
#endif
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const long fresh = faults();
        keep_freed_memory();
        faults();
        const long kept = faults();
        std::cerr << fresh << " page faults, then " << kept << "\n";
        std::exit(kept * 20 < fresh ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace vmr
