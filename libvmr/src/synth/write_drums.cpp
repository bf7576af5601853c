// The drummer: a groove chosen once a song, thinned or filled by the energy of each bar.
#include <algorithm>
#include <cmath>

#include "synth/random.h"
#include "synth/score.h"

namespace vmr::synth {
namespace {

struct Groove {
  bool every_beat_kick = false;
  bool clap = false;
  bool ride_in_chorus = false;
  int hats_per_beat = 2;
  std::vector<double> extra_kicks;  // positions in the bar
};

Groove choose_groove(const TrackState& state, Random& random) {
  const double drive = 0.5 * (state.style.energy + state.style.density);
  Groove groove;
  groove.every_beat_kick = state.beats_per_bar == 4 && random.chance(0.55 * state.style.energy);
  const bool electronic =
      state.instruments == InstrumentSet::synth || state.instruments == InstrumentSet::chip;
  groove.clap = random.chance(electronic ? 0.8 : 0.2);
  groove.ride_in_chorus = random.chance(0.5);
  groove.hats_per_beat = drive < 0.35 ? 1 : (drive < 0.75 || state.swing > 0) ? 2 : 4;
  for (const double position : {1.5, 2.5, 3.5}) {
    if (position < state.beats_per_bar && random.chance(drive)) {
      groove.extra_kicks.push_back(position);
    }
  }
  return groove;
}

class Drummer {
 public:
  Drummer(const TrackState& state, const BeatGrid& grid, Score& score)
      : state_(state), grid_(grid), score_(score), random_(state.seed, "drums") {
    groove_ = choose_groove(state, random_);
  }

  void play(const Bar& bar) {
    const bool sparse = bar.section_name == "intro" || bar.section_name == "outro";
    if (bar.section_name != "break" && (!sparse || bar.energy > 0.25)) kick_and_snare(bar);
    cymbals(bar);
    if (bar.last_of_section && bar.section_name != "break" && bar.energy > 0.2) fill(bar);
    if (bar.section_name == "b" && new_section(bar)) strike(Drum::ride, bar, 0, 0.9);
    section_ = bar.section;
  }

 private:
  bool new_section(const Bar& bar) const { return bar.section != section_; }

  void strike(Drum drum, const Bar& bar, double position, double velocity) {
    const double human = random_.uniform(0.92, 1.0);
    score_.hits.push_back({drum, grid_.seconds(bar.first_beat + position),
                           static_cast<float>(std::clamp(velocity * human, 0.0, 1.0))});
  }

  void kick_and_snare(const Bar& bar) {
    const int beats = state_.beats_per_bar;
    const double level = 0.6 + 0.4 * bar.energy;
    for (int beat = 0; beat < beats; ++beat) {
      const bool middle = beats % 2 == 0 && beat == beats / 2;
      if (beat == 0 || middle || groove_.every_beat_kick) {
        strike(Drum::kick, bar, beat, level * (beat == 0 ? 1.0 : 0.85));
      }
      const bool back_beat = beats % 2 == 0 ? beat % 2 == 1 : beat != 0;
      if (back_beat) {
        strike(groove_.clap ? Drum::clap : Drum::snare, bar, beat,
               level * (beats % 2 == 0 ? 0.85 : 0.5));
      }
    }
    for (const double position : groove_.extra_kicks) {
      if (bar.energy > 0.3) strike(Drum::kick, bar, position, 0.6 * level);
    }
  }

  void cymbals(const Bar& bar) {
    const int per_beat = bar.energy < 0.25 ? 1 : groove_.hats_per_beat;
    const Drum drum = groove_.ride_in_chorus && bar.section_name == "b" ? Drum::ride : Drum::hat;
    for (int step = 0; step < per_beat * state_.beats_per_bar; ++step) {
      const double position = static_cast<double>(step) / per_beat;
      const bool on_beat = step % per_beat == 0;
      strike(drum, bar, position, (on_beat ? 0.75 : 0.45) * (0.6 + 0.4 * bar.energy));
    }
    if (bar.energy > 0.6) strike(Drum::open_hat, bar, state_.beats_per_bar - 0.5, 0.5);
  }

  void fill(const Bar& bar) {
    for (int step = 0; step < 4; ++step) {
      strike(Drum::snare, bar, state_.beats_per_bar - 1 + 0.25 * step, 0.45 + 0.13 * step);
    }
  }

  const TrackState& state_;
  const BeatGrid& grid_;
  Score& score_;
  Random random_;
  Groove groove_;
  int section_ = -1;
};

}  // namespace

void write_drums(const TrackState& state, const BeatGrid& grid, const std::vector<Bar>& bars,
                 Score& score) {
  Drummer drummer(state, grid, score);
  for (const Bar& bar : bars) drummer.play(bar);
}

}  // namespace vmr::synth
