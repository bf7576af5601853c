// libvmr's own beat tracker on the onset curves of a song: hypotheses, choice, bars, and where
// there are no beats at all.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "audio/beat_bands.h"
#include "audio/beat_hypotheses.h"
#include "audio/beat_tempo.h"
#include "vmr/audio/beat.h"

namespace vmr::audio::detail {

// A curve's peak stands this much behind the start of the note that it shows.
constexpr double kLateFrames = 0.7;

// When the note began whose peak is at the frame: not before 0.
inline double seconds_of_beat(int64_t frame, double frames_per_second) {
  return std::max(0.0, double(frame) - kLateFrames) / frames_per_second;
}

// What lies this far below the loudest of the song is silence.
constexpr double kSilenceDecibels = 60;

// The level, in decibels, up to which frames are silent.
inline float silence_of(const std::vector<float>& level) {
  return *std::max_element(level.begin(), level.end()) - float(kSilenceDecibels);
}

struct TrackedBeats {
  std::vector<int64_t> beats;       // frames of the curves, rising
  std::vector<int64_t> down_beats;  // some of `beats`
  int64_t beats_per_bar = 0;
  double bpm = 0;
  double confidence = 0;
  std::vector<TempoHypothesis> tempi;
};

TrackedBeats track_bands(const BeatBands& bands);

// The tempi of hypotheses, like ones together: that of the first, then by probability.
std::vector<TempoHypothesis> tempi_of(const std::vector<BeatHypothesis>& hypotheses);

}  // namespace vmr::audio::detail
