// Beats of a piece of music: onset strength, one tempo, dynamic programming over the beat positions
// (Ellis 2007). `reference` reproduces librosa 0.9.2, which the published rhythm features were made
// with; `tracker` is for whole songs: finer time, beats kept up to the edges, none in silence.
// Stateless and deterministic: the same waveform gives the same beats. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "vmr/audio/onset.h"

namespace vmr::audio {

enum class BeatMethod {
  reference,  // librosa 0.9.2: identical beat frames
  tracker,    // libvmr's own
  aubio,      // BeatOptions::external, see vmr/audio_aubio/aubio_beat.h
};

// Beat times in seconds, rising, of a waveform [samples] float32.
using ExternalBeatTracker =
    std::function<std::vector<double>(const at::Tensor& waveform, double rate_hz)>;

struct BeatOptions {
  BeatMethod method = BeatMethod::tracker;
  double rate_hz = 16000;  // 4000 to 96000
  // Empty: the method's own. reference: hop 512, fft 2048 samples; others: 12 and 64 ms. 128 bands.
  std::optional<OnsetOptions> onset;
  double tightness = 100;        // how dear a deviation from the tempo is
  double start_bpm = 120;        // centre of the tempo prior, whose width is one octave
  bool trim = true;              // reference: drop weak beats at both ends
  bool trim_inclusive = false;   // reference: keep the last valid beat, which librosa 0.9 drops
  ExternalBeatTracker external;  // method aubio only
};

struct BeatResult {
  double tempo_bpm = 0;               // 0 when nothing was found
  std::vector<double> beats_seconds;  // rising
  std::vector<int64_t> beat_frames;   // of `onset`, the frame of each beat
  at::Tensor onset;                   // [frames] float32, frame t at t * hop / rate
  OnsetOptions onset_options;         // what `onset` was made with
};

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const BeatOptions& options);

// waveform: [samples] float32, in [-1, 1]. Silence, or music too short for a tempo, gives no beats.
// Throws: InvalidArgument for other shapes or dtypes, no samples, samples that are not finite, or
// method aubio without `external`; whatever `external` throws.
BeatResult track_beats(const at::Tensor& waveform, const BeatOptions& options = {});

}  // namespace vmr::audio
