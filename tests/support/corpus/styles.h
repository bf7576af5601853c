// The styles of the first composer as tables: who plays what on which part of the bar.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace vmr::corpus {

// One character a step: 'x' struck, 'o' softly, '.' not. A pattern covers a bar, or two where it is
// as long as two, and its steps divide it evenly.
struct DrumPattern {
  std::string_view kick, snare, hat, other;
};

enum class Bass { none, roots, quavers, walking, off_beat, tumbao, oom_pah, long_notes };
enum class Comp {
  pad,
  strum,
  off_beat,
  arpeggio,
  alberti,
  oom_pah,
  swing,
  montuno,
  sparse,
  chorale
};

struct Style {
  std::string_view name;
  std::string_view metre;
  int beats = 4;                // a bar
  int steps = 4;                // of the melody's grid a beat: 2, 3 or 4
  double low = 60, high = 190;  // beats/min it is played at
  double swing = 0.5;
  std::array<DrumPattern, 2> drums{};                // of verse and chorus; empty: no drums
  int snare_key = 38, hat_key = 42, other_key = 46;  // General MIDI drums
  Bass bass = Bass::roots;
  Comp comp = Comp::pad;
  std::array<int, 2> comp_programs{0, 0};  // one of them
  int bass_program = 33;
  std::array<int, 2> lead_programs{73, 65};
  double syncopation = 0.2;  // share of melody notes taken early
  double rubato = 0;
  std::string_view tag = "";  // beside the name
};

std::span<const Style> styles();

}  // namespace vmr::corpus
