// Puts taken frames in their places of the jobs' results. Internal to media.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "media/frame_converter.h"
#include "media/frame_scheduler.h"
#include "vmr/media/video_reader.h"

namespace vmr::media::detail {

class FrameSink {
 public:
  // The film's likely length and rate, for the first allocation; 0 unknown.
  FrameSink(const std::vector<FrameJob>& jobs, Orientation orientation, double expected_seconds,
            double film_fps);

  // The frame shown in [begin, end). Throws: InvalidArgument where prepare's results disagree.
  void deliver(const AVFrame* frame, double begin, double end, const std::vector<Take>& takes);
  std::vector<Frames> finish();

 private:
  struct Result {
    Frames frames;
    int64_t count = 0;  // slots in use
    int64_t expected = 0;
  };
  void store(Result& result, int64_t slot, const at::Tensor& item);

  const std::vector<FrameJob>& jobs_;
  FrameConverter converter_;
  std::vector<Result> results_;
};

}  // namespace vmr::media::detail
