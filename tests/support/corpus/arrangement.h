// The players of the first composer: each writes one bar of its part.
#pragma once

#include <span>
#include <vector>

#include "support/corpus/beat_clock.h"
#include "support/corpus/piece.h"
#include "support/corpus/styles.h"

namespace vmr::corpus {

struct Key {
  int tonic = 0;  // 0-11, C is 0
  bool minor = false;
  // MIDI number of a scale degree (0 the tonic, 7 an octave above) from octave 4.
  int pitch(int degree, int octave = 4) const;
};

struct BarPlan {
  int first_beat = 0;  // of the piece
  int number = 0;      // in its section
  int chord = 0;       // degree of its root
  int next_chord = 0;
  int kind = 0;  // 0 verse, 1 chorus
  bool first_of_section = false, last_of_section = false;
  bool drums = false, bass = false, comp = false, lead = false;
  double loudness = 0.7;
};

// Notes of a melody of two bars; repeated over other chords.
struct MotifNote {
  double beat = 0, length = 1;
  int degree = 0;  // above the chord's root
};
using Motif = std::vector<MotifNote>;

class Arranger {
 public:
  Arranger(const Style& style, const Key& key, const BeatClock& clock, synth::Random random,
           Piece& piece);
  void write_bar(const BarPlan& bar);
  // The tonic of everyone on the beat after the last bar.
  void end_on(int beat);

 private:
  void drums(const BarPlan& bar);
  void fill(const BarPlan& bar);
  void bass(const BarPlan& bar);
  void comp(const BarPlan& bar);
  void arpeggio(const BarPlan& bar, bool alberti);
  void chorale(const BarPlan& bar);
  void lead(const BarPlan& bar);
  Motif make_motif();
  void hit(int drum, double position, double velocity);
  void note(int program, double position, double beats, int pitch, double velocity);
  void chord(const BarPlan& bar, double place, double beats, double velocity, int voices = 3);

  const Style& style_;
  const Key key_;
  const BeatClock& clock_;
  synth::Random random_;
  Piece& piece_;
  int comp_program_, lead_program_;
  double loose_seconds_;  // deviation of people's timing
  std::vector<Motif> motifs_;
};

}  // namespace vmr::corpus
