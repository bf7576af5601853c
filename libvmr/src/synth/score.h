// A song on paper: the grid of its beats, and the notes and hits written on it.
#pragma once

#include <vector>

#include "vmr/synth/hidden_state.h"
#include "vmr/synth/song.h"

namespace vmr::synth {

// Throws InvalidArgument naming the field.
void validate(const TrackState& state);

// Times of beats; positions between them follow the swing.
class BeatGrid {
 public:
  explicit BeatGrid(const TrackState& state);

  // position in beats from the first; off-beat eighths are late by swing/6 of a beat.
  double seconds(double position) const;
  // Beats that begin before the song's end.
  int beats() const { return beats_; }

 private:
  std::vector<double> times_;  // some beats past the end, for notes that ring on
  int beats_ = 0;
  double eighth_ = 0.5;  // place of the off-beat eighth in a beat
};

enum class Voice {
  plucked,
  strings,
  electric_piano,
  bell,
  organ,
  square_lead,
  soft_lead,
  saw_bass,
  sub_bass,
  plucked_bass
};

struct Note {
  Voice voice = Voice::plucked;
  double start_seconds = 0.0;
  double length_seconds = 0.0;
  double pitch = 60.0;  // MIDI number
  float velocity = 0.7f;
  float pan = 0.0f;  // -1 left, 1 right
};

enum class Drum { kick, snare, hat, open_hat, ride, clap };
inline constexpr int kDrums = 6;

struct Hit {
  Drum drum = Drum::kick;
  double start_seconds = 0.0;
  float velocity = 0.7f;
};

struct Score {
  std::vector<Note> notes;
  std::vector<Hit> hits;
};

// One bar as its players see it.
struct Bar {
  int number = 0;        // from 0
  int first_beat = 0;    // number * beats a bar
  int chord_degree = 0;  // of the scale
  double energy = 0.0;   // [0, 1]
  bool last_of_section = false;
  int section = 0;
  std::string_view section_name;
};

std::vector<Bar> plan_bars(const TrackState& state, const BeatGrid& grid);

void write_drums(const TrackState& state, const BeatGrid& grid, const std::vector<Bar>& bars,
                 Score& score);
void write_harmony(const TrackState& state, const BeatGrid& grid, const std::vector<Bar>& bars,
                   Score& score);
Score compose(const TrackState& state, const BeatGrid& grid);

}  // namespace vmr::synth
