#include "support/corpus/random_songs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "support/corpus/beat_clock.h"
#include "synth/random.h"

namespace vmr::corpus {
namespace {

using synth::Random;

constexpr int kKick = 36, kSnare = 38, kClosedHat = 42, kPedalHat = 44, kCrash = 49, kRide = 51,
              kWoodBlock = 76;
constexpr std::array kScale{0, 2, 4, 5, 7, 9, 11};

template <typename Values>
auto any_of(Random& random, const Values& values) {
  return *(std::begin(values) + random.below(int(std::size(values))));
}
template <typename Value>
Value any_of(Random& random, std::initializer_list<Value> values) {
  return any_of<std::initializer_list<Value>>(random, values);
}

// How the drums play bars of two and four beats; other metres have patterns of their own.
enum class Drums { none, rock, four, disco, half, latin, sparse, brush };
enum class Chords { block, arpeggio, off_beat, quavers, syncopated, pad };
enum class BassLine { none, roots, walking, quavers, syncopated };
constexpr std::array kDrumNames{"no_drums",   "drums_rock",  "drums_four",   "drums_disco",
                                "drums_half", "drums_latin", "drums_sparse", "drums_brush"};
constexpr std::array kChordNames{"chords_block",   "chords_arpeggio",   "chords_off_beat",
                                 "chords_quavers", "chords_syncopated", "chords_pad"};

struct Plan {
  int metre = 4;
  Drums drums = Drums::rock;
  Chords chords = Chords::block;
  BassLine bass = BassLine::roots;
  bool tune = true;
  int hats = 2;  // strokes a beat
  double hat_level = 0.5;
  int first_drum_bar = 0;
  int key = 0;
  std::array<int, 4> roots{0, 5, 7, 0};  // of the chords, semitones above the key, one a bar
  std::vector<double> tune_places{0, 0.5};
  int chord_program = 0, bass_program = 33, tune_program = 73;
  double untidy_seconds = 0.004;
};

Plan draw_plan(Random& random, double bpm) {
  Plan plan;
  plan.metre = any_of(random, {4, 4, 4, 4, 3, 3, 3, 2, 5, 7});
  plan.drums = random.chance(0.28) ? Drums::none : Drums(1 + random.below(7));
  plan.chords = Chords(random.below(6));
  plan.bass = plan.drums == Drums::none || random.chance(0.8) ? BassLine(1 + random.below(4))
                                                              : BassLine::none;
  plan.tune = random.chance(0.75);
  plan.hats = bpm < 130 ? any_of(random, {1, 2, 2, 4}) : any_of(random, {1, 2});
  plan.hat_level = any_of(random, {0.4, 0.55, 0.7});
  plan.first_drum_bar = any_of(random, {0, 0, 2});
  plan.key = random.below(12);
  using Roots = std::array<int, 4>;
  plan.roots = any_of(random, {Roots{0, 5, 7, 0}, Roots{0, 9, 5, 7}, Roots{9, 5, 0, 7},
                               Roots{0, 7, 9, 5}, Roots{0, 2, 7, 0}});
  using Places = std::vector<double>;
  plan.tune_places =
      any_of(random, {Places{0}, Places{0, 0.5}, Places{0, 0.75}, Places{0.5}, Places{0}});
  plan.chord_program = any_of(random, {0, 4, 24, 25, 26, 48, 16, 46, 11});
  plan.bass_program = any_of(random, {32, 33, 34, 36, 38, 43});
  plan.tune_program = any_of(random, {56, 65, 71, 73, 40, 80, 52, 12, 0, 22});
  return plan;
}

class Band {
 public:
  Band(const Plan& plan, const BeatClock& clock, Random random, Piece& piece)
      : plan_(plan), clock_(clock), random_(random), piece_(piece) {}

  void play_beat(int beat) {
    const int bar = beat / plan_.metre, place = beat % plan_.metre;
    if (plan_.drums != Drums::none && bar >= plan_.first_drum_bar) {
      if (plan_.metre == 2 || plan_.metre == 4) {
        strike_even_metre(beat, place % 4);
      } else {
        strike_other_metre(beat, place);
      }
      strike_hats(beat);
      if (place == 0 && bar % 8 == 0) strike(kCrash, beat, 0.8);
    }
    const int root = 36 + (plan_.key + plan_.roots[size_t(bar % 4)]) % 12;
    if (plan_.bass != BassLine::none) play_bass(beat, place, root);
    play_chords(beat, place, root + 24);
    if (plan_.tune && bar % 4 != 3) play_tune(beat);
  }

 private:
  void add(int program, double position, double beats, int pitch, double level) {
    Note note;
    note.program = program;
    note.start_seconds =
        std::max(0.0, clock_.seconds(position) + plan_.untidy_seconds * random_.normal());
    note.length_seconds = clock_.seconds(position + beats) - clock_.seconds(position);
    note.pitch = pitch;
    note.velocity = std::clamp(level + 0.05 * random_.normal(), 0.05, 1.0);
    piece_.notes.push_back(note);
  }
  void strike(int drum, double position, double level) { add(kDrums, position, 0.2, drum, level); }

  void strike_even_metre(int beat, int place) {
    switch (plan_.drums) {
      case Drums::rock:
        strike(place % 2 == 0 ? kKick : kSnare, beat, 0.78);
        if (place == 2 && random_.chance(0.5)) strike(kKick, beat + 0.5, 0.67);
        return;
      case Drums::four:
      case Drums::disco:
        strike(kKick, beat, 0.78);
        if (place % 2 == 1) strike(kSnare, beat, 0.75);
        return;
      case Drums::half:
        if (place == 0) strike(kKick, beat, 0.78);
        if (place == 2) strike(kSnare, beat, 0.75);
        if (place == 1 && random_.chance(0.6)) strike(kKick, beat + 0.5, 0.63);
        return;
      case Drums::latin:
        strike(kKick, beat, 0.78);
        if (place % 2 == 1) strike(kKick, beat + 0.75, 0.63);
        strike(kWoodBlock, place % 2 == 0 ? beat : beat + 0.5, 0.7);
        return;
      case Drums::sparse:
        if (place == 0) strike(kKick, beat, 0.78);
        if (place == 3) strike(kSnare, beat, 0.55);
        return;
      case Drums::brush:
        if (place % 2 == 1) strike(kPedalHat, beat, 0.63);
        return;
      case Drums::none:
        return;
    }
  }

  // Threes: one strong, two weak; fives 3 + 2; sevens in twos with a lone last beat.
  void strike_other_metre(int beat, int place) {
    const bool heavy = plan_.metre == 3   ? place == 0
                       : plan_.metre == 5 ? place == 0 || place == 3
                                          : place % 2 == 0 && place != 6;
    const int weak = plan_.drums == Drums::brush ? kPedalHat : kSnare;
    const bool light = plan_.metre == 3   ? place > 0
                       : plan_.metre == 5 ? place == 2 || place == 4
                                          : place % 2 == 1;
    if (heavy) strike(kKick, beat, 0.78);
    if (light) strike(weak, beat, 0.6);
  }

  void strike_hats(int beat) {
    const int drum = plan_.drums == Drums::brush ? kRide : kClosedHat;
    for (int stroke = 0; stroke < plan_.hats; ++stroke) {
      const bool off = plan_.hats == 2 && stroke == 1;
      const double accent = plan_.drums == Drums::disco ? (off ? 0.22 : -0.08)
                            : stroke == 0               ? 0.1
                                                        : -0.06;
      strike(drum, beat + double(stroke) / plan_.hats, plan_.hat_level + accent);
    }
  }

  void play_bass(int beat, int place, int root) {
    constexpr std::array kWalk{0, 4, 7, 9, 7, 4, 2};
    const auto play = [&](double position, double beats, int pitch) {
      add(plan_.bass_program, position, beats, pitch, 0.72);
    };
    switch (plan_.bass) {
      case BassLine::roots:
        if (place == 0 || (plan_.metre == 4 && place == 2)) play(beat, 0.9, root);
        return;
      case BassLine::walking:
        play(beat, 0.9, root + kWalk[size_t(place)]);
        return;
      case BassLine::quavers:
        play(beat, 0.4, root);
        play(beat + 0.5, 0.4, root);
        return;
      case BassLine::syncopated:
        if (place == 0) play(beat, 1.4, root);
        if (place == 1) play(beat + 0.5, 0.4, root);
        if (place > 2 && place % 2 == 1) play(beat, 0.5, root + 7);
        return;
      case BassLine::none:
        return;
    }
  }

  void play_chords(int beat, int place, int root) {
    const int above = (root - plan_.key) % 12;
    const std::array chord{root, root + (above == 2 || above == 9 ? 3 : 4), root + 7};
    const auto play = [&](double position, double beats, double level) {
      for (const int pitch : chord) add(plan_.chord_program, position, beats, pitch, level);
    };
    switch (plan_.chords) {
      case Chords::block:
        if (place == 0 || place == 2 || plan_.metre == 3) play(beat, 0.9, place == 0 ? 0.63 : 0.55);
        return;
      case Chords::arpeggio:
        for (int half = 0; half < 2; ++half)
          add(plan_.chord_program, beat + 0.5 * half, 0.5, chord[size_t((2 * place + half) % 3)],
              half == 0 ? 0.63 : 0.55);
        return;
      case Chords::off_beat:
        play(beat + 0.5, 0.3, 0.55);
        return;
      case Chords::quavers:
        play(beat, 0.4, 0.55);
        play(beat + 0.5, 0.4, 0.48);
        return;
      case Chords::syncopated:
        if (place == 0) play(beat, 0.6, 0.63);
        if (place == 1) play(beat + 0.5, 0.8, 0.6);
        if (place == 3) play(beat + 0.5, 0.4, 0.55);
        return;
      case Chords::pad:
        if (place == 0) play(beat, plan_.metre * 0.98, 0.55);
        return;
    }
  }

  void play_tune(int beat) {
    for (const double part : plan_.tune_places) {
      if (random_.chance(0.2)) continue;
      degree_ = std::clamp(degree_ + any_of(random_, {-2, -1, 1, 2}), 3, 12);
      const int pitch = 48 + plan_.key + 12 * (degree_ / 7) + kScale[size_t(degree_ % 7)];
      add(plan_.tune_program, beat + part, 0.5, pitch, part == 0 ? 0.73 : 0.67);
    }
  }

  const Plan& plan_;
  const BeatClock& clock_;
  Random random_;
  Piece& piece_;
  int degree_ = 7;  // of the tune, in the scale
};

TempoShape draw_shape(Random& random, double bpm, int beats, int metre,
                      std::set<std::string>& tags) {
  TempoShape shape;
  shape.bpm = bpm;
  shape.phrase_beats = 4 * metre;
  if (bpm < 180) shape.swing = any_of(random, {0.5, 0.5, 0.5, 0.6, 0.667});
  if (shape.swing > 0.5) tags.insert("swung");
  const double other = any_of(random, {0.8, 0.87, 1.15, 1.25});
  const int kind = random.below(10);
  if (kind == 0 || kind == 1) {
    shape.step = other;
    shape.step_beat = int(beats * random.uniform(0.35, 0.65));
    tags.insert("step");
  } else if (kind == 2) {
    shape.ramp = other;
    tags.insert("ramp");
  } else if (kind == 3) {
    shape.rubato = 0.05;
    shape.drift = 0.02;
    tags.insert("expressive");
  }
  return shape;
}

Treatment draw_treatment(Random& random, std::set<std::string>& tags) {
  Treatment treatment;
  treatment.level_db = any_of(random, {-14.0, -3.0, -3.0});
  if (random.chance(0.4)) {
    treatment.noise_snr_db = random.uniform(10, 30);
    tags.insert("noise");
  }
  if (random.chance(0.4)) {
    treatment.mp3_kbps = any_of(random, {48, 64});
    tags.insert("mp3");
  }
  if (random.chance(0.33)) {
    treatment.fade_in_seconds = 5;
    treatment.fade_out_seconds = 8;
    tags.insert("fade");
  }
  return treatment;
}

Piece compose(uint64_t seed, int index) {
  Random random(seed, "random song", index);
  Piece piece;
  piece.name = "random_" + std::to_string(index);
  const double bpm = 60 * std::pow(190. / 60, random.uniform());
  Plan plan = draw_plan(random, bpm);
  piece.metre = std::to_string(plan.metre) + "/4";
  piece.tags = {"metre_" + piece.metre, kDrumNames[size_t(plan.drums)],
                kChordNames[size_t(plan.chords)]};
  const int bars = std::max(6, int(random.uniform(32, 48) * bpm / 60 / plan.metre));
  const int beats = bars * plan.metre;
  const TempoShape shape = draw_shape(random, bpm, beats, plan.metre, piece.tags);
  if (shape.rubato > 0) plan.untidy_seconds = 0.01;
  const BeatClock clock(shape, random.uniform(0.1, 2), beats, Random(seed, "random clock", index));
  piece.bpm = clock.mean_bpm();
  piece.tempo_octave_ok = piece.bpm < 76 || piece.bpm > 152;
  piece.tags.insert(piece.bpm < 80 ? "slow" : piece.bpm > 150 ? "fast" : "medium");
  piece.treatment = draw_treatment(random, piece.tags);
  piece.beats.assign(clock.times().begin(), clock.times().end() - 1);
  for (int i = 0; i < beats; i += plan.metre) piece.down_beats.push_back(piece.beats[size_t(i)]);
  piece.seconds = clock.times().back();
  Band band(plan, clock, Random(seed, "random band", index), piece);
  for (int beat = 0; beat < beats; ++beat) band.play_beat(beat);
  return piece;
}

}  // namespace

std::vector<Piece> compose_random_songs(uint64_t seed, int pieces) {
  std::vector<Piece> songs;
  for (int i = 0; i < pieces; ++i) songs.push_back(compose(seed, i));
  return songs;
}

}  // namespace vmr::corpus
