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
    std::vector<Pixels> levels;
  };
  int band_count(int rows, int align) const;
  template <typename Body>
  void bands(int rows, int align, const Body& body);  // body(band, y0, y1)
  float* floats(int64_t count);
  Planes planes(int64_t width, int64_t height, int64_t count);
  const Frame& expanded(int64_t number, const uint8_t* picture, const Frame* keep);
  struct Start {  // of a level
    size_t level;
    Planes coarse;  // the flow of the coarser level; without data at the coarsest
    bool guessed;   // the coarsest begins at the first guess
  };
  void take_guess(const float* guess);
  void begin(const Start& start, const FlowStep& step, size_t band, int y0, int y1);
  Planes refine_at_once(const Start& start, const FlowStep& step);
  Planes refine_in_bands(const Start& start, FlowStep step);

  const FarnebackPlan& plan_;
  const FarnebackKernels& kernels_;
  int threads_;
  std::vector<Floats> memory_;
  Planes level_;  // the picture of one level
  Frame frames_[2];
  std::vector<Planes> flows_[2];  // by level, two to change between
  Planes guess_;
  std::vector<float*> scratch_;  // by thread
  std::vector<float*> rings_;    // by thread, or iteration in flight
};

}  // namespace vmr::video::detail
