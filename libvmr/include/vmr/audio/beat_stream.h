// Beats of sound that is still coming in: the model of beat.h's tracker, looking at the last
// seconds again and again. Each beat is decided once, at most `latency_seconds` after its sound
// came in, and never taken back. Early ones are foretold: with a latency of 0 a beat comes up to a
// little more than half a second before its sound. Follows tempo drifts and steps, has no beats in
// silence and noise, few in speech, and none before it has heard four seconds. The beats do not
// depend on the pieces that the sound comes in: equal bits. Memory does not grow with the stream.
// How and why, and how good: docs/design/0013-beat-stream.md. One stream is for one thread at a
// time; different streams are independent.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "vmr/audio/beat.h"

namespace vmr::audio {

struct BeatStreamOptions {
  double rate_hz = 16000;  // 4000 to 96000
  // Of the sound pushed, how far the end may lie behind a beat when that is returned: 0 to 2.
  double latency_seconds = 0.5;
};

struct StreamBeat {
  double seconds = 0;  // from the first sample pushed
  // First of a bar, as far as the last seconds tell: less sure than BeatResult's.
  bool down_beat = false;
  int64_t beats_per_bar = 0;  // 2 to 7; 0: unknown, and no down-beats
  double tempo_bpm = 0;       // at this beat
  // 0 to 1: the probability of a pulse times that of this tempo and phase.
  double confidence = 0;
  std::vector<TempoHypothesis> tempi;  // that of the beats first, then by probability, sum <= 1
};

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const BeatStreamOptions& options);

class BeatStream {
 public:
  // Throws: InvalidArgument, see validate.
  explicit BeatStream(const BeatStreamOptions& options = {});
  BeatStream(BeatStream&&) noexcept;
  BeatStream& operator=(BeatStream&&) noexcept;
  ~BeatStream();

  // samples: [samples] float32, in [-1, 1], following those before; any number of them, also none.
  // Returns the beats that these decide, rising, behind all returned before.
  // Throws: InvalidArgument for other shapes or dtypes, samples that are not finite (the stream
  // stays as it was and can go on), or after flush.
  std::vector<StreamBeat> push(const at::Tensor& samples);

  // The end of the stream: returns the beats of its last `latency_seconds` that are not out yet.
  // Throws: InvalidArgument when called again.
  std::vector<StreamBeat> flush();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmr::audio
