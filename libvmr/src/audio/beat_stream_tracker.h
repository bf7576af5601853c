// The beats of a stream from its spectrum: the song tracker's model on a window of the last
// seconds, the memory of the windows before, and which beats are decided when.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "audio/beat_stream_lanes.h"
#include "vmr/audio/beat_stream.h"
#include "vmr/audio/log_mel.h"

namespace vmr::audio::detail {

// Beats are decided within [begin, end) of the stream's clock.
struct Decision {
  double begin_seconds, end_seconds;
};

class StreamTracker {
 public:
  explicit StreamTracker(const LogMelOptions& spectrum) : spectrum_(spectrum) {}

  // rows: [frames, mels] decibels, following those before. Returns the beats that lie in the
  // decision, behind all returned before.
  std::vector<StreamBeat> hear(const at::Tensor& rows, const Decision& decision);

 private:
  // What a window says of the beats around its end.
  struct View {
    std::vector<int64_t> beats;  // frames of the stream
    std::vector<bool> down;      // of each of `beats`
    std::vector<float> level;    // of the window's frames, decibels
    StreamBeat common;           // what every beat of this window has
  };

  void drop(int64_t frames);
  bool look(View& view);
  void foretell(View& view, double until_frame) const;
  bool sounds(const View& view, double frame, double period) const;
  std::vector<StreamBeat> decide(const View& view, const Decision& decision);

  LogMelOptions spectrum_;
  at::Tensor rows_;          // [frames, mels], the last seconds
  int64_t first_frame_ = 0;  // of the stream, of rows_
  BeatLanes lanes_;
  double pulse_ = 0;          // mean over the windows
  int64_t windows_ = 0;       // since the last silence
  double last_seconds_ = -1;  // of the last beat returned
};

}  // namespace vmr::audio::detail
