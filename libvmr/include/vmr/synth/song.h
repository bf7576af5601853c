// Songs with exact truth: a TrackState is composed (drums, bass, chords, melody) and rendered by a
// small synthesiser. For beat tests and benchmarks as much as for libraries:
//
//   synth::TrackState state;  state.tempo_bpm = 90;  state.beats_per_bar = 3;  state.drums = false;
//   const synth::Song song = synth::render_song(state);
//   // song.samples [2, 882000] at 44.1 kHz; song.beats[0] == state.first_beat_seconds
//
// Every beat time is the exact onset of the notes struck on it. The same state gives the same bits
// on the same machine. Thread-safe; one call runs on the calling thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "vmr/core/feature_track.h"
#include "vmr/synth/hidden_state.h"

namespace vmr::synth {

inline constexpr int kSongRateHz = 44100;

struct TempoPoint {
  double seconds = 0.0;
  double bpm = 0.0;
};

struct SectionSpan {
  std::string name;
  Interval span;
  double energy = 0.0;  // style energy times the section's level, in [0, 1]
};

struct SongTruth {
  std::vector<double> beats;          // seconds, rising; from first_beat_seconds to the song's end
  std::vector<double> downbeats;      // the subset that begins a bar
  std::vector<SectionSpan> sections;  // in order, without gaps, from the first beat to the end
  std::vector<TempoPoint> tempo;      // at every beat: 60 / (next beat - beat)
};

struct Song {
  at::Tensor samples;          // [2, samples] float32 in (-1, 1), at kSongRateHz
  double loudness_lufs = 0.0;  // integrated, ITU-R BS.1770-4
  SongTruth truth;
};

// Beats, bars, sections and tempo without rendering: microseconds.
// Throws: InvalidArgument where the state is out of range (names the field).
SongTruth plan_song(const TrackState& state);

// Loudness is set between -18 (energy 0) and -14 LUFS (energy 1), peaks below -0.2 dB.
// Throws: InvalidArgument as plan_song.
Song render_song(const TrackState& state);

}  // namespace vmr::synth
