// Where in seconds a position in beats lies, for a tempo that ramps, steps, breathes and pauses.
#pragma once

#include <vector>

#include "synth/random.h"

namespace vmr::corpus {

struct TempoShape {
  double bpm = 120;
  double ramp = 1;               // tempo at the end / at the beginning
  double step = 1;               // tempo after `step_beat` / before
  int step_beat = 0;             // 0: no step
  double rubato = 0;             // depth of the breathing of each phrase, 0.06: 6 % up and down
  int phrase_beats = 16;         // one breath
  double drift = 0;              // deviation of a slow random walk, as a share of the tempo
  double ritardando = 0;         // 0.2: the last four beats slow down to 80 %
  std::vector<int> pause_beats;  // the beat lasts longer by `pause_seconds`, sound stops
  double pause_seconds = 0;
  double swing = 0.5;  // place of the off-beat quaver in a beat: 0.5 straight, 0.667 triplet
};

class BeatClock {
 public:
  // `beats` beats from `first_seconds`. `random` draws the drift.
  BeatClock(const TempoShape& shape, double first_seconds, int beats, synth::Random random);

  double seconds(double position) const;  // position >= 0, may lie past the last beat
  int beats() const { return static_cast<int>(lengths_.size()); }
  const std::vector<double>& times() const { return times_; }  // of the beats, and of the end
  double mean_bpm() const;                                     // pauses left out

 private:
  std::vector<double> times_, lengths_;  // a beat's length without the pause after it
  double swing_ = 0.5;
};

}  // namespace vmr::corpus
