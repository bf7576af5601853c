// Beats of a piece of music. `reference` reproduces librosa 0.9.2, which the published rhythm
// features were made with: one tempo, dynamic programming over the beat positions (Ellis 2007).
// `tracker` is for whole songs: several hypotheses of tempo, octave and phase, each followed
// through drifts and steps by a bar-pointer model (Whiteley, Cemgil and Godsill 2006), weighed by
// the accents on and between their beats; bars of 2 to 7 beats; no beats in silence and noise, few
// in speech and of little confidence (benchmarks/results/beats.md). How and why:
// docs/design/0011-beat-tracker.md.
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
  // Of BeatResult::onset, and of the beats of the reference. Empty: the method's own. reference:
  // hop 512, fft 2048 samples, 128 bands; others: 10 and 32 ms, 64 bands.
  std::optional<OnsetOptions> onset;
  double tightness = 100;        // reference: how dear a deviation from the tempo is
  double start_bpm = 120;        // reference: centre of the tempo prior, one octave wide
  bool trim = true;              // reference: drop weak beats at both ends
  bool trim_inclusive = false;   // reference: keep the last valid beat, which librosa 0.9 drops
  ExternalBeatTracker external;  // method aubio only
};

struct TempoHypothesis {
  double bpm = 0;
  double probability = 0;
};

struct BeatResult {
  double tempo_bpm = 0;               // 0 when nothing was found
  std::vector<double> beats_seconds;  // rising
  std::vector<int64_t> beat_frames;   // of `onset`, the frame of each beat (tracker: its peak)
  // Method tracker only; the others leave them as they stand here.
  std::vector<double> down_beats_seconds;  // rising, each one of beats_seconds
  int64_t beats_per_bar = 0;               // 2 to 7; 0: unknown
  // 0 to 1: the share of the time with a pulse, times the probability of these beats against the
  // same music counted in another tempo or phase. Low where there are none.
  double confidence = 0;
  std::vector<TempoHypothesis> tempi;  // that of the beats first, then by probability, sum <= 1
  at::Tensor onset;                    // [frames] float32, frame t at t * hop / rate
  OnsetOptions onset_options;          // what `onset` was made with
};

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const BeatOptions& options);

// waveform: [samples] float32, in [-1, 1]. Silence, or music too short for a tempo, gives no beats.
// Throws: InvalidArgument for other shapes or dtypes, no samples, samples that are not finite, or
// method aubio without `external`; whatever `external` throws.
BeatResult track_beats(const at::Tensor& waveform, const BeatOptions& options = {});

}  // namespace vmr::audio
