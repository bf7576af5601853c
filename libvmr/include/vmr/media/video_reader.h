// Reads frames of a film at a steady rate or at given times. Which frame belongs to a time is
// decided by the frames' own times (variable rate, late starts and B-frames are normal input),
// never by counting frames.
//
// Times are compared with a tolerance of half a tick of the stream's clock (at most 0.5 ms), so
// that a container's rounding does not move a grid by one frame. A time outside of the film gets
// the film's first or last frame. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <vector>

namespace vmr::media {

enum class FrameSampling {
  shown_at,           // what a player shows at t: the last frame that begins at or before t
  nearest,            // the frame that begins nearest to t; the earlier of two equally near
  first_at_or_after,  // the first frame that begins at or after t
};

// Frames at t = k / fps (k = 0, 1, ...), or at `times_seconds`, or, where neither is given, every
// frame once. The grid ends where the video ends (with first_at_or_after: at its last frame).
//
// `prepare` is called once for each frame taken, in the order of presentation, on the calling
// thread, with [height, width, 3] uint8 RGB; its results must agree in shape and dtype. It must not
// keep the tensor it gets, and is called anew where a broken file makes decoding start over.
struct FrameJob {
  double fps = 0;
  std::vector<double> times_seconds;  // any order; the result has the same order
  FrameSampling sampling = FrameSampling::shown_at;
  int64_t max_frames = 0;  // 0: no limit
  double max_seconds = 0;  // only times below this; 0: no limit
  int width = 0;           // pixels after rotation, bilinear; 0: as stored (give both or none)
  int height = 0;
  std::function<at::Tensor(const at::Tensor& rgb)> prepare;  // empty: frames as they are
};

struct Frames {
  at::Tensor pixels;  // [n, height, width, 3] uint8 RGB, or [n, ...] of prepare's results
  std::vector<double> requested_seconds;
  std::vector<double> shown_seconds;  // when the frame taken begins
  std::vector<double> until_seconds;  // when it ends: the next frame begins, or the film ends
};

// Throws: InvalidArgument for a field out of range.
void validate(const FrameJob& job);

// YUV is converted by the file's matrix and range; BT.601 where it names none, as FFmpeg does.
// Throws: MediaError where no frame can be decoded; InvalidArgument; Error when stopped.
Frames read_frames(const std::filesystem::path& path, const FrameJob& job,
                   std::stop_token stop = {});

}  // namespace vmr::media
