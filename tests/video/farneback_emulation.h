// The CUDA kernels of Farneback's flow on the CPU: the same steps, block by block and thread by
// thread, with a barrier after each phase. Threads run in either order: a result that hangs on it
// is a race. Shared memory begins as NaN, so that what nobody wrote is seen.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "video/farneback_work.h"

namespace vmr::video::test {

struct Emulation {
  bool backwards = false;

  template <class Step>
  void operator()(const Step& step) const {
    const detail::GridSize grid = step.grid();
    const int threads = Step::kThreads;
    // What a launch allows without asking.
    static_assert(sizeof(Step) <= 4096 && Step::kThreads <= 1024);
    ASSERT_LE(step.shared_bytes(), 48 * 1024);
    ASSERT_LE(std::max(grid.y, grid.z), 65535);
    std::vector<double> shared(static_cast<size_t>(step.shared_bytes() + 7) / 8);
    for (int z = 0; z < grid.z; ++z) {
      for (int y = 0; y < grid.y; ++y) {
        for (int x = 0; x < grid.x; ++x) {
          if (!shared.empty()) std::memset(shared.data(), 0xff, shared.size() * sizeof(double));
          std::vector<typename Step::Registers> registers(static_cast<size_t>(threads));
          const int phases = step.phases({x, y, z, 0});
          for (int phase = 0; phase < phases; ++phase) {
            for (int i = 0; i < threads; ++i) {
              const int thread = backwards ? threads - 1 - i : i;
              step.run(phase, {x, y, z, thread}, shared.data(),
                       registers[static_cast<size_t>(thread)]);
            }
          }
        }
      }
    }
  }
};

}  // namespace vmr::video::test
