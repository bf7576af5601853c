// A piece of music with exact beats, before it is sound: notes in seconds, and what is done to the
// recording afterwards. Made by the two composers (composer.h, groove.h), made audible by two
// players (midi_file.h with FluidSynth, band.h).
#pragma once

#include <set>
#include <string>
#include <vector>

namespace vmr::corpus {

inline constexpr int kDrums = -1;  // as a program: `pitch` is a General MIDI drum

struct Note {
  int program = 0;  // General MIDI, from 0, or kDrums
  double start_seconds = 0, length_seconds = 0;
  int pitch = 60;         // MIDI number
  double velocity = 0.7;  // (0, 1]
};

// What happens to the recording, in this order.
struct Treatment {
  double fade_in_seconds = 0, fade_out_seconds = 0;
  double noise_snr_db = 0;  // pink noise and hum this far below the music; 0: none
  double level_db = -3;     // of the peak
  int mp3_kbps = 0;         // encoded and decoded; 0: not
};

struct Piece {
  std::string name;
  std::string metre;  // "4/4", "6/8": two beats of three quavers
  double seconds = 0;
  double bpm = 0;  // 60 / mean distance of beats, pauses left out
  // True where listeners tap at half or twice the tempo as readily.
  bool tempo_octave_ok = false;
  std::vector<double> beats, down_beats;  // seconds, rising; no beats in a pause
  std::vector<Note> notes;                // in any order
  Treatment treatment;
  std::set<std::string> tags;
};

}  // namespace vmr::corpus
