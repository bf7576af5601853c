// What a mood means on both sides: the centre its tracks are drawn around, its musical language and
// its look. One table, so that a mood is read in one place.
#pragma once

#include <array>
#include <vector>

#include "vmr/synth/hidden_state.h"

namespace vmr::synth {

// How the chords are played.
enum class Comping {
  held,      // once or twice a bar
  strum,     // on the beats
  arpeggio,  // tone after tone
  pulse,     // the whole chord in quick even strokes
  offbeat,   // light on the beat, strong between
  tremolo    // one tone repeated as quickly as the song moves
};

struct MoodProfile {
  std::string_view name;
  Style centre;
  double tempo_low, tempo_high;   // BPM
  double waltz, swing, drumless;  // probabilities
  // music
  std::vector<int> scale;                    // semitones above the root
  std::vector<std::array<int, 4>> loops;     // scale degree of the chord of each bar
  std::array<InstrumentSet, 3> instruments;  // preferred
  Comping comping;                           // preferred
  // film
  std::array<TextureFamily, 2> textures;  // preferred
  int shape;                              // of Mover
  double shape_size;                      // [0, 1], small to large
  double hue;                             // [0, 1)
};

const MoodProfile& mood_profile(int mood);

}  // namespace vmr::synth
