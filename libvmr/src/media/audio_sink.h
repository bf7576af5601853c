// Collects decoded sound: sample conversion, mix, exact placement in time, resampling. What was
// collected is one tensor at the end, or is taken in blocks on the way. Internal to media.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "media/ffmpeg_handles.h"
#include "media/input.h"
#include "vmr/media/audio_reader.h"

namespace vmr::media::detail {

class AudioSink {
 public:
  enum class Keeps { everything, what_is_not_taken };  // room for all is reserved at once, or not
  AudioSink(Input& input, const AudioOptions& options, Keeps keeps);

  // A decoded frame that begins at `seconds` on the file's clock (NaN: where the last one ended).
  void add(const AVFrame* frame, double seconds);
  // Whether all that was asked for is here.
  bool full() const;
  int64_t collected() const { return kept_; }  // output samples here and not taken
  // Hands out all but the last `keep` output samples, [channels, n]. What finish may find to be
  // padding must be among those: a second's worth.
  at::Tensor take(int64_t keep);
  // What was not taken. Sound after `end_seconds` is padding of the encoder; below 0 where unknown.
  Audio finish(double end_seconds);

 private:
  void start(const AVFrame* frame);
  void add_silence(int64_t samples);
  void convert(const AVFrame* frame, int64_t skip);
  // Sends `samples` of planes_ on to the resampler, or with none, what is left inside of it.
  void resample(int64_t samples);
  void append(int64_t samples);  // samples of out_planes_ go to the result
  void flush();
  void reserve(int64_t samples);

  Input& input_;
  const AudioOptions options_;
  const Keeps keeps_;
  // Source.
  int rate_ = 0, channels_ = 0, format_ = -1;
  int64_t position_ = 0;       // source samples since the clock's zero (of this rate)
  double filled_seconds_ = 0;  // silence put into holes
  int64_t earlier_ = 0;        // output samples made before the source's rate last changed
  // After mixing.
  int out_channels_ = 0;
  int mixed_channels_ = 0;
  int64_t out_rate_ = 0;
  std::vector<std::vector<float>> planes_;
  std::vector<std::vector<float>> out_planes_;
  ResamplerHandle resampler_;
  int64_t produced_ = 0;            // output samples since the clock's zero
  int64_t first_ = 0, limit_ = -1;  // wanted output samples [first_, limit_); -1: all
  int64_t kept_ = 0;
  at::Tensor result_;  // [channels, capacity]
};

}  // namespace vmr::media::detail
