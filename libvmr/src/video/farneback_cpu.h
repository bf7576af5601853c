// Farneback's flow of pairs of frames with the kernels of one instruction set: frames that follow
// each other share their expansions.
#pragma once

#include <cstdint>
#include <vector>

#include "video/farneback_kernels.h"
#include "video/farneback_memory.h"
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
  struct Frame {
    int64_t number = -1;
    std::vector<Pixels> levels;
  };
  struct Band {                 // of rows of a pair, a thread's
    std::vector<Planes> flows;  // by level
    float* scratch;
    std::vector<float*> rings;  // by iteration in flight
  };
  struct Start {  // of a level
    size_t level;
    Planes coarse;  // the flow of the coarser level; without data at the coarsest
    bool guessed;   // the coarsest begins at the first guess
  };
  Planes planes(int64_t width, int64_t height, int64_t count);
  int band_count(int rows, int align) const;
  template <typename Body>
  void for_bands(int rows, int align, const Body& body);  // body(band, y0, y1)
  const Frame& expanded(int64_t number, const uint8_t* picture, const Frame* keep);
  void take_guess(const float* guess);
  void begin(const Start& start, Planes flow, float* scratch, int y0, int y1);
  Planes refine(const Start& start, const Frame& from, const Frame& to);
  template <typename Begin>
  void refine_band(FlowStep step, const Band& band, Planes result, int iterations, int y0, int y1,
                   const Begin& begin);

  const FarnebackPlan& plan_;
  const FarnebackKernels& kernels_;
  FloatPool pool_;
  int in_flight_ = 1;  // iterations
  Planes level_;       // the picture of one level
  Frame frames_[2];
  std::vector<Band> bands_;
  std::vector<Planes> joined_[2];  // by level, what several bands found, two to change between
  Planes guess_;
};

}  // namespace vmr::video::detail
