// Bass, chords and melody. Without drums somebody still plays on every beat, so that the beat can
// be heard.
#include <algorithm>
#include <cmath>

#include "synth/mood_profile.h"
#include "synth/random.h"
#include "synth/score.h"

namespace vmr::synth {
namespace {

struct Ensemble {
  Voice chords, melody, bass;
  bool pad;  // strings behind
};

Ensemble ensemble_of(InstrumentSet set) {
  using enum Voice;
  switch (set) {
    case InstrumentSet::band:
      return {plucked, soft_lead, plucked_bass, false};
    case InstrumentSet::strings:
      return {plucked, strings, saw_bass, true};
    case InstrumentSet::keys:
      return {electric_piano, electric_piano, sub_bass, false};
    case InstrumentSet::synth:
      return {square_lead, soft_lead, saw_bass, true};
    case InstrumentSet::organ:
      return {organ, organ, plucked_bass, false};
    case InstrumentSet::chip:
      return {square_lead, square_lead, saw_bass, false};
    case InstrumentSet::bells:
      return {electric_piano, bell, sub_bass, true};
    case InstrumentSet::guitar:
      return {plucked, plucked, plucked_bass, false};
  }
  return {plucked, soft_lead, plucked_bass, false};
}

// A melody of two bars that a section repeats over its chords.
struct MotifNote {
  double position, length;  // beats
  int step;                 // scale steps above the chord's root
};

class Players {
 public:
  Players(const TrackState& state, const BeatGrid& grid, Score& score)
      : state_(state),
        grid_(grid),
        score_(score),
        scale_(mood_profile(state.mood).scale),
        ensemble_(ensemble_of(state.instruments)),
        random_(state.seed, "harmony") {
    key_ = random_.below(12);
    low_ = 42 + static_cast<int>(std::lround(24 * state.style.brightness));
    steps_per_beat_ = state.style.density < 0.35 ? 1 : state.style.density < 0.72 ? 2 : 4;
    if (state.swing > 0) steps_per_beat_ = std::min(steps_per_beat_, 2);
    comping_ = random_.chance(0.75) ? mood_profile(state.mood).comping
                                    : static_cast<Comping>(random_.below(6));
    if (!state.drums && comping_ == Comping::held) comping_ = Comping::strum;
    verse_ = write_motif(0.8);
    chorus_ = write_motif(1.2);
  }

  void play(const Bar& bar) {
    chords(bar);
    if (bar.section_name != "intro" && bar.section_name != "break") bass(bar);
    if (bar.section_name == "a" || bar.section_name == "b") melody(bar);
    if (ensemble_.pad) pad(bar);
  }

 private:
  // Scale degree -> MIDI number near `low`.
  double pitch(int degree, int low) const {
    const int size = static_cast<int>(scale_.size());
    const int octave = degree >= 0 ? degree / size : -((size - 1 - degree) / size);
    const int root = low + ((key_ - low) % 12 + 12) % 12;
    return root + 12 * octave + scale_[static_cast<size_t>(degree - octave * size)];
  }

  // Chord tones folded into the octave above `low`, so that chords move little.
  std::vector<double> chord(int degree, int low) const {
    std::vector<double> tones;
    const int count = state_.style.warmth > 0.55 ? 4 : 3;  // warm chords carry a seventh
    for (int i = 0; i < count; ++i) {
      double tone = pitch(degree + 2 * i, low);
      while (tone >= low + 14) tone -= 12;
      tones.push_back(tone);
    }
    std::sort(tones.begin(), tones.end());
    return tones;
  }

  void note(Voice voice, const Bar& bar, double position, double beats, double pitch,
            double velocity, double pan = 0.0) {
    const double start = grid_.seconds(bar.first_beat + position);
    const double end = grid_.seconds(bar.first_beat + position + beats);
    score_.notes.push_back({voice, start, end - start, pitch,
                            static_cast<float>(velocity * random_.uniform(0.9, 1.0)),
                            static_cast<float>(pan)});
  }

  void chords(const Bar& bar) {
    const std::vector<double> tones = chord(bar.chord_degree, low_);
    const double level = 0.45 + 0.35 * bar.energy;
    const int beats = state_.beats_per_bar;
    const int quick = std::max(2, steps_per_beat_);
    switch (comping_) {
      case Comping::held:
        stroke(bar, 0, bar.energy > 0.4 ? 0.5 * beats : beats, tones, level);
        if (bar.energy > 0.4) stroke(bar, 0.5 * beats, 0.5 * beats, tones, 0.8 * level);
        break;
      case Comping::strum:
        for (int beat = 0; beat < beats; ++beat) {
          stroke(bar, beat, 0.9, tones, level * (beat == 0 ? 1.0 : 0.8));
          if (bar.energy > 0.6) stroke(bar, beat + 0.5, 0.4, tones, 0.5 * level);
        }
        break;
      case Comping::arpeggio:
        run(bar, tones, steps_per_beat_, true, level);
        break;
      case Comping::pulse:
        for (int step = 0; step < 2 * beats; ++step) {
          stroke(bar, 0.5 * step, 0.3, tones, level * (step % 2 == 0 ? 1.0 : 0.7));
        }
        break;
      case Comping::offbeat:
        for (int beat = 0; beat < beats; ++beat) {
          stroke(bar, beat, 0.25, {tones.front()}, 0.7 * level);
          stroke(bar, beat + 0.5, 0.3, tones, level);
        }
        break;
      case Comping::tremolo:
        run(bar, tones, quick, false, level);
        break;
    }
  }

  // The chord at once, spread from left to right.
  void stroke(const Bar& bar, double position, double length, const std::vector<double>& tones,
              double velocity) {
    const auto gaps = static_cast<double>(std::max<size_t>(tones.size() - 1, 1));
    for (size_t i = 0; i < tones.size(); ++i) {
      const double pan = -0.35 + 0.7 * static_cast<double>(i) / gaps;
      note(ensemble_.chords, bar, position, length, tones[i], velocity, pan);
    }
  }

  // Single tones: up and down the chord, or a bar on each in turn.
  void run(const Bar& bar, const std::vector<double>& tones, int steps_per_beat, bool climb,
           double level) {
    const auto size = static_cast<int>(tones.size());
    for (int step = 0; step < state_.beats_per_bar * steps_per_beat; ++step) {
      const int turn = climb ? step % (2 * size - 2) : bar.number % size;
      const auto tone = tones[static_cast<size_t>(turn < size ? turn : 2 * size - 2 - turn)];
      const bool on_beat = step % steps_per_beat == 0;
      note(ensemble_.chords, bar, static_cast<double>(step) / steps_per_beat,
           (climb ? 1.2 : 0.6) / steps_per_beat, tone, level * (on_beat ? 1.1 : 0.75),
           0.4 * (step % 2) - 0.2);
    }
  }

  void bass(const Bar& bar) {
    const double root = pitch(bar.chord_degree, 31);
    const double fifth = pitch(bar.chord_degree + 4, 31) - (root > 40 ? 12 : 0);
    const double level = 0.6 + 0.3 * bar.energy;
    const int beats = state_.beats_per_bar;
    if (bar.energy < 0.3) {
      note(ensemble_.bass, bar, 0, beats * 0.95, root, level);
    } else if (bar.energy < 0.6) {
      for (int beat = 0; beat < beats; beat += 2) {
        note(ensemble_.bass, bar, beat, 1.6, beat == 0 ? root : fifth, level);
      }
      if (state_.swing > 0) note(ensemble_.bass, bar, beats - 0.5, 0.4, root + 12, 0.7 * level);
    } else {
      const int per_beat = bar.energy > 0.8 ? 2 : 1;
      for (int step = 0; step < beats * per_beat; ++step) {
        note(ensemble_.bass, bar, static_cast<double>(step) / per_beat, 0.85 / per_beat,
             step % 4 == 3 ? fifth : root, level * (step % per_beat == 0 ? 1.0 : 0.75));
      }
    }
  }

  void pad(const Bar& bar) {
    double pan = -0.6;
    for (const double tone : chord(bar.chord_degree, low_ - 5)) {
      note(Voice::strings, bar, 0, state_.beats_per_bar, tone, 0.3 + 0.25 * bar.energy, pan);
      pan += 0.4;
    }
  }

  std::vector<MotifNote> write_motif(double busy) {
    std::vector<MotifNote> motif;
    const double end = 2.0 * state_.beats_per_bar;
    int step = 2 * random_.below(3);
    for (double position = 0.0; position < end - 0.01;) {
      const double quick = std::clamp(state_.style.density * busy, 0.0, 1.0);
      const double length = random_.chance(quick)
                                ? (steps_per_beat_ == 4 && random_.chance(0.4) ? 0.25 : 0.5)
                                : (random_.chance(0.6) ? 1.0 : 2.0);
      if (!random_.chance(0.12))
        motif.push_back({position, std::min(length, end - position), step});
      step = std::clamp(step + random_.below(5) - 2, -3, 9);
      position += length;
    }
    return motif;
  }

  void melody(const Bar& bar) {
    const double half = bar.number % 2 * state_.beats_per_bar;
    const int low = low_ + 12;
    for (const MotifNote& tone : bar.section_name == "b" ? chorus_ : verse_) {
      if (tone.position < half || tone.position >= half + state_.beats_per_bar) continue;
      // On whole beats of a bar's start the melody rests on a chord tone.
      const int step = tone.position == half ? tone.step / 2 * 2 : tone.step;
      note(ensemble_.melody, bar, tone.position - half, 0.92 * tone.length,
           pitch(bar.chord_degree + step, low), 0.6 + 0.3 * bar.energy, 0.12);
    }
  }

  const TrackState& state_;
  const BeatGrid& grid_;
  Score& score_;
  const std::vector<int>& scale_;
  const Ensemble ensemble_;
  Random random_;
  int key_ = 0, low_ = 54, steps_per_beat_ = 2;
  Comping comping_ = Comping::strum;
  std::vector<MotifNote> verse_, chorus_;
};

}  // namespace

void write_harmony(const TrackState& state, const BeatGrid& grid, const std::vector<Bar>& bars,
                   Score& score) {
  Players players(state, grid, score);
  for (const Bar& bar : bars) players.play(bar);
}

}  // namespace vmr::synth
