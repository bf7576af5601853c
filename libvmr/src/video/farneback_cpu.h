// Farneback's flow of pairs of frames with the kernels of one instruction set: frames that follow
// each other share their expansions.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "video/farneback_kernels.h"
#include "video/farneback_plan.h"

namespace vmr::video::detail {

// The fastest kernels this processor runs.
const FarnebackKernels& best_farneback_kernels();

// Everything one worker needs, allocated once. Not thread-safe; `threads` share each pair.
class FarnebackWorker {
 public:
  FarnebackWorker(const FarnebackPlan& plan, const FarnebackKernels& kernels, int threads = 1);

  // The flow from `from` to `to`, two pictures [height, width] with numbers by which they are
  // known again in the next call, valid until that. `first_guess` [2, height, width] or null.
  Planes flow(int64_t from_number, const uint8_t* from, int64_t to_number, const uint8_t* to,
              const float* first_guess = nullptr);

  double lengths(Planes flow) const;  // the sum of them

 private:
  struct Free {
    void operator()(float* p) const;
  };
  using Floats = std::unique_ptr<float[], Free>;
  struct Frame {
    int64_t number = -1;
    std::vector<Planes> levels;
  };
  template <typename Body>
  void bands(int rows, int align, const Body& body);  // body(scratch, y0, y1)
  Planes planes(int64_t width, int64_t height, int64_t count);
  const Frame& expanded(int64_t number, const uint8_t* picture, const Frame* keep);

  const FarnebackPlan& plan_;
  const FarnebackKernels& kernels_;
  int threads_;
  std::vector<Floats> memory_;
  Planes level_;  // the picture of one level
  Frame frames_[2];
  std::vector<Planes> flows_[2];  // by level, two to change between
  Planes guess_;
  std::vector<float*> scratch_;  // by thread
};

}  // namespace vmr::video::detail
