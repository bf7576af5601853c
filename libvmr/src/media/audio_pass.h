// Decodes an opened file's sound packet by packet. Internal to media.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "media/audio_sink.h"
#include "media/input.h"
#include "media/stream_extent.h"

namespace vmr::media::detail {

class AudioPass {
 public:
  // Requires: input.audio().
  AudioPass(Input& input, const AudioOptions& options, AudioSink::Keeps keeps);

  // A packet of the sound; one that comes when all is here is only counted.
  void add(const AVPacket* packet);
  bool full() const { return sink_.full(); }
  const StreamExtent& extent() const { return extent_; }
  // As AudioSink's.
  int64_t collected() const { return sink_.collected(); }
  at::Tensor take(int64_t keep) { return sink_.take(keep); }
  // `whole`: the file was read to its end.
  Audio finish(bool whole);

 private:
  void decode(const AVPacket* packet);

  Input& input_;
  CodecHandle codec_;
  FrameHandle frame_;
  AudioSink sink_;
  StreamExtent extent_;
  int64_t undecodable_ = 0;
};

}  // namespace vmr::media::detail
