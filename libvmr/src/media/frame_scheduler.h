// Decides which frame serves which requested time, from frame times alone. Internal to media.
#pragma once

#include <cstdint>
#include <vector>

#include "vmr/media/video_reader.h"

namespace vmr::media::detail {

// A requested time that a frame serves.
struct Take {
  int job = 0;
  int64_t slot = 0;  // place in the job's result
  double seconds = 0;
};

// Frames are offered in the order of presentation, each once. Copyable: a copy continues alone.
class FrameScheduler {
 public:
  // tolerance_seconds: see video_reader.h.
  FrameScheduler(const std::vector<FrameJob>& jobs, double tolerance_seconds);

  // What the frame shown in [begin, end) serves; `last`: no frame comes after it.
  // Requires: begin < end, and begin not below the end of the frame before.
  std::vector<Take> offer(double begin, double end, bool last);

  // Whether no later frame can serve anything.
  bool finished() const;

 private:
  enum class Kind { every_frame, grid, list };
  struct State {
    Kind kind = Kind::every_frame;
    FrameSampling sampling = FrameSampling::shown_at;
    double fps = 0;
    double max_seconds = 0;
    int64_t limit = 0;           // of requests; list: their number
    std::vector<double> times;   // list: ascending
    std::vector<int64_t> slots;  // list: place in the result of each
    int64_t next = 0;

    bool exhausted() const;
    double time(int64_t k) const;
  };
  bool serves(const State& state, double t, double begin, double end, bool last) const;

  double tolerance_;
  std::vector<State> states_;
};

}  // namespace vmr::media::detail
