// One chain of libavfilter's filters for sound: samples in, frames out. Internal to media.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "media/ffmpeg_handles.h"
#include "media/message_log.h"

extern "C" {
#include <libavfilter/avfilter.h>
}

namespace vmr::media::detail {

struct FreeFilterGraph {
  void operator()(AVFilterGraph* graph) const { avfilter_graph_free(&graph); }
};
using FilterGraphHandle = std::unique_ptr<AVFilterGraph, FreeFilterGraph>;

class SoundFilter {
 public:
  // `chain` in FFmpeg's language: "atempo=1.1". Frames come out as float planes at the same rate
  // and number of channels. `function` is named in errors. Throws: MediaError where this FFmpeg
  // lacks the filter or refuses its settings.
  SoundFilter(const char* function, std::string chain, int rate_hz, int channels);
  ~SoundFilter();
  SoundFilter(const SoundFilter&) = delete;
  SoundFilter& operator=(const SoundFilter&) = delete;

  // samples: [channels, n] float32; n may be 0.
  void push(const at::Tensor& samples);
  void end();  // no more will be pushed
  // The next frame. Null: nothing until more is pushed, after end(): that was all.
  FrameHandle pull();

 private:
  void build();
  void check(int result) const;

  const char* function_;
  std::string chain_;
  int rate_;
  AVChannelLayout layout_{};
  mutable MessageLog messages_;
  FilterGraphHandle graph_;
  AVFilterContext* source_ = nullptr;
  AVFilterContext* sink_ = nullptr;
  int64_t pushed_ = 0;
};

// The samples of a frame of float planes, [channels, n].
at::Tensor samples_of(const AVFrame* frame);

}  // namespace vmr::media::detail
