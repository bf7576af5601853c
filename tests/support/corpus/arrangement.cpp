#include "support/corpus/arrangement.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace vmr::corpus {

int Key::pitch(int degree, int octave) const {
  constexpr std::array<std::array<int, 7>, 2> kScales{
      {{0, 2, 4, 5, 7, 9, 11}, {0, 2, 3, 5, 7, 8, 10}}};
  const int turns = degree >= 0 ? degree / 7 : -((6 - degree) / 7);
  return 12 * (octave + 1 + turns) + tonic + kScales[minor][size_t(degree - 7 * turns)];
}

Arranger::Arranger(const Style& style, const Key& key, const BeatClock& clock, synth::Random random,
                   Piece& piece)
    : style_(style), key_(key), clock_(clock), random_(random), piece_(piece) {
  comp_program_ = style.comp_programs[size_t(random_.below(2))];
  lead_program_ = style.lead_programs[size_t(random_.below(2))];
  loose_seconds_ =
      style.drums[0].kick.empty() ? random_.uniform(0.005, 0.012) : random_.uniform(0.001, 0.007);
  for (int i = 0; i < 3; ++i) motifs_.push_back(make_motif());
}

void Arranger::write_bar(const BarPlan& bar) {
  if (bar.drums) drums(bar);
  if (bar.bass) bass(bar);
  if (bar.comp) comp(bar);
  if (bar.lead) lead(bar);
}

void Arranger::end_on(int beat) {
  BarPlan last;
  last.first_beat = beat;
  if (!style_.drums[0].kick.empty()) {
    hit(36, beat, 0.9);
    hit(49, beat, 0.8);
  }
  note(style_.bass_program, beat, 3, key_.pitch(0, 2), 0.8);
  chord(last, 0, 3, 0.7);
}

void Arranger::hit(int drum, double position, double velocity) {
  note(kDrums, position, 0.2, drum, velocity);
}

void Arranger::note(int program, double position, double beats, int pitch, double velocity) {
  const double off = std::clamp(random_.normal(), -2.5, 2.5) * loose_seconds_;
  const double start = std::max(clock_.seconds(position) + off, 0.0);
  const double end = clock_.seconds(position + std::max(beats * 0.95, 0.1));
  const double loud = std::clamp(velocity * (1 + 0.08 * random_.normal()), 0.08, 1.0);
  piece_.notes.push_back({program, start, std::max(end - start, 0.05), pitch, loud});
}

void Arranger::drums(const BarPlan& bar) {
  const DrumPattern& pattern = style_.drums[size_t(bar.kind)];
  const int steps = style_.beats * style_.steps;
  const bool filling = bar.last_of_section && random_.chance(0.8);
  const int play = filling ? steps - style_.steps * std::max(style_.beats / 3, 1) : steps;
  const auto part = [&](std::string_view line, int key, double level) {
    if (line.empty()) return;
    const int bars = std::max(int(line.size()) / steps, 1);
    const int from = bar.number % bars * steps;
    for (int step = 0; step < play; ++step) {
      char sign = line[size_t(from + step)];
      if (sign == '.' && random_.chance(0.01)) sign = 'o';
      if (sign == '.') continue;
      const bool on_beat = step % style_.steps == 0;
      const double accent = on_beat ? 1.0 : 0.85;
      hit(key, bar.first_beat + double(step) / style_.steps,
          level * accent * bar.loudness * (sign == 'x' ? 1 : 0.4));
    }
  };
  part(pattern.kick, 36, 1.1);
  part(pattern.snare, style_.snare_key, 1.0);
  part(pattern.hat, style_.hat_key, 0.75);
  part(pattern.other, style_.other_key, 0.8);
  if (bar.first_of_section && random_.chance(0.7)) hit(49, bar.first_beat, bar.loudness);
  if (filling) fill(bar);
}

// Snare and toms fall through the last beats of a section; some fills rest at first.
void Arranger::fill(const BarPlan& bar) {
  const int beats = std::max(style_.beats / 3, 1);
  constexpr std::array<int, 5> kDrumsDown{38, 38, 48, 45, 41};
  const int steps = beats * style_.steps;
  for (int step = 0; step < steps; ++step) {
    if (random_.chance(step % style_.steps == 0 ? 0.1 : 0.35)) continue;
    const auto drum = kDrumsDown[size_t(step * 5 / steps)];
    hit(drum, bar.first_beat + style_.beats - beats + double(step) / style_.steps,
        bar.loudness * (0.7 + 0.3 * step / steps));
  }
}

void Arranger::bass(const BarPlan& bar) {
  const int program = style_.bass_program;
  const double loud = bar.loudness * 0.95;
  const int root = key_.pitch(bar.chord, 2) > 47 ? -7 : 0;
  const auto play = [&](double place, double beats, int degree, double velocity) {
    note(program, bar.first_beat + place, beats, key_.pitch(bar.chord + root + degree, 2),
         velocity);
  };
  switch (style_.bass) {
    case Bass::none:
      return;
    case Bass::long_notes:
      play(0, style_.beats, 0, loud);
      if (style_.beats == 4 && random_.chance(0.4)) play(2, 2, 4, loud * 0.8);
      return;
    case Bass::roots:
      for (int beat = 0; beat < style_.beats; ++beat) {
        if (beat == 0 || random_.chance(beat % 2 == 0 ? 0.8 : 0.4))
          play(beat, 1, beat == 0 || random_.chance(0.6) ? 0 : 4, loud * (beat == 0 ? 1 : 0.8));
      }
      return;
    case Bass::quavers:
      for (int i = 0; i < 2 * style_.beats; ++i) {
        if (i > 0 && random_.chance(0.06)) continue;
        play(0.5 * i, 0.5, i == 2 * style_.beats - 1 && random_.chance(0.4) ? 4 : 0,
             loud * (i % 2 == 0 ? 1 : 0.75));
      }
      return;
    case Bass::walking:
      for (int beat = 0; beat < style_.beats; ++beat) {
        const int way = bar.next_chord >= bar.chord ? 1 : -1;
        constexpr std::array<int, 4> kWalk{0, 2, 4, 5};
        const int degree = beat == style_.beats - 1 ? bar.next_chord - bar.chord - way
                                                    : way * kWalk[size_t(beat % 4)];
        play(beat, 1, degree, loud * (beat % 2 == 0 ? 0.9 : 1));
        if (random_.chance(0.1)) play(beat + 0.5, 0.5, degree, loud * 0.6);
      }
      return;
    case Bass::off_beat:
      for (int beat = 0; beat < style_.beats; ++beat) play(beat + 0.5, 0.5, 0, loud);
      return;
    case Bass::tumbao:
      if (bar.number == 0 || random_.chance(0.5)) play(0, 1, 0, loud);
      play(1.5, 1.5, 4, loud);
      play(style_.beats - 1, 1, bar.next_chord - bar.chord, loud);
      if (random_.chance(0.3)) play(2.5, 0.5, 0, loud * 0.7);
      return;
    case Bass::oom_pah:
      for (int beat = 0; beat < style_.beats; beat += style_.beats == 3 ? 3 : 2)
        play(beat, 1, beat % 4 == 2 || (style_.beats == 2 && bar.number % 2 == 1) ? 4 : 0, loud);
      return;
  }
}

void Arranger::chord(const BarPlan& bar, double place, double beats, double velocity, int voices) {
  constexpr std::array<int, 4> kTones{0, 2, 4, 6};
  const int down = bar.chord > 3 ? -7 : 0;
  for (int voice = 0; voice < voices; ++voice) {
    // Fingers strike within a few milliseconds of each other.
    note(comp_program_, bar.first_beat + place + 0.004 * voice, beats,
         key_.pitch(bar.chord + down + kTones[size_t(voice)]), velocity);
  }
}

void Arranger::comp(const BarPlan& bar) {
  const double loud = bar.loudness * 0.7;
  const int beats = style_.beats;
  switch (style_.comp) {
    case Comp::pad:
      return chord(bar, 0, beats, loud);
    case Comp::strum:
      for (int i = 0; i < 2 * beats; ++i) {
        const bool on_beat = i % 2 == 0;
        if (random_.chance(on_beat ? 0.85 : 0.5))
          chord(bar, 0.5 * i, 0.5, loud * (on_beat ? 1 : 0.7));
      }
      return;
    case Comp::off_beat:
      for (int beat = 0; beat < beats; ++beat) chord(bar, beat + 0.5, 0.3, loud);
      return;
    case Comp::arpeggio:
      return arpeggio(bar, false);
    case Comp::alberti:
      return arpeggio(bar, true);
    case Comp::oom_pah:
      for (int beat = 0; beat < beats; ++beat) {
        if (beats == 3 ? beat > 0 : beats == 2)
          chord(bar, beat + (beats == 2 ? 0.5 : 0), 0.5, loud);
      }
      return;
    case Comp::swing:
      for (int i = 0; i < 2 * beats; ++i) {
        if (random_.chance(i % 4 == 3 ? 0.6 : i % 2 == 1 ? 0.25 : 0.2))
          chord(bar, 0.5 * i, 0.6, loud, 4);
      }
      return;
    case Comp::montuno: {
      constexpr std::string_view kRows[] = {"x.xx.xx.", "x.x.xx.x", ".xx.xx.x"};
      const auto row = kRows[bar.kind == 0 ? 0 : 1 + bar.number % 2];
      for (int i = 0; i < 2 * beats; ++i) {
        if (row[size_t(i % 8)] == 'x') chord(bar, 0.5 * i, 0.4, loud);
      }
      return;
    }
    case Comp::sparse:
      chord(bar, 0, 2, loud);
      if (random_.chance(0.5)) chord(bar, 2, 1, loud * 0.7, 2);
      return;
    case Comp::chorale:
      return chorale(bar);
  }
}

void Arranger::arpeggio(const BarPlan& bar, bool alberti) {
  constexpr std::array<int, 6> kUpDown{0, 2, 4, 7, 4, 2};
  constexpr std::array<int, 4> kAlberti{0, 4, 2, 4};
  const int steps = style_.steps == 3 ? 3 : 2;
  const int fast = style_.name == "guitar" && bar.kind == 1 && piece_.bpm < 95 ? 2 : 1;
  const int down = bar.chord > 3 ? -7 : 0;
  for (int i = 0; i < style_.beats * steps * fast; ++i) {
    const int degree = alberti ? kAlberti[size_t(i % 4)] : kUpDown[size_t(i % 6)];
    const bool on_beat = i % (steps * fast) == 0;
    const double level = i == 0 ? 0.85 : on_beat ? 0.7 : 0.55;
    note(comp_program_, bar.first_beat + double(i) / (steps * fast), 1.0 / steps,
         key_.pitch(bar.chord + down + degree), bar.loudness * level);
  }
}

// Four voices change together on the strong beats; inner voices move in quavers in a chorus.
void Arranger::chorale(const BarPlan& bar) {
  for (int beat = 0; beat < style_.beats; beat += 2) {
    chord(bar, beat, std::min(2, style_.beats - beat), bar.loudness * 0.75);
  }
  if (bar.kind == 0) return;
  for (int i = 0; i < 2 * style_.beats; ++i) {
    constexpr std::array<int, 4> kTurn{4, 5, 4, 2};
    note(comp_program_, bar.first_beat + 0.5 * i, 0.5, key_.pitch(bar.chord + kTurn[size_t(i % 4)]),
         bar.loudness * (i % 2 == 0 ? 0.75 : 0.55));
  }
}

Motif Arranger::make_motif() {
  Motif motif;
  const int steps = 2 * style_.beats * style_.steps;
  const double busy = style_.name == "sparse" ? 0.45 : random_.uniform(0.7, 1.1);
  int degree = 2 * random_.below(4);
  for (int step = 0; step < steps; ++step) {
    const bool on_beat = step % style_.steps == 0;
    const bool middle = style_.steps % 2 == 0 && step % style_.steps == style_.steps / 2;
    const double chance = step == 0           ? 0.9
                          : on_beat           ? 0.6
                          : middle            ? 0.35
                          : style_.steps == 3 ? 0.25
                                              : 0.07;
    if (!random_.chance(chance * busy)) continue;
    double beat = double(step) / style_.steps;
    if (on_beat && step > 0 && random_.chance(style_.syncopation))
      beat -= style_.steps == 4 && random_.chance(0.4) ? 0.25 : style_.steps == 3 ? 1.0 / 3 : 0.5;
    degree = std::clamp(degree + random_.below(5) - 2, -2, 9);
    if (on_beat && degree % 2 != 0) degree += random_.chance(0.5) ? 1 : -1;
    motif.push_back({beat, 0.5, degree});
  }
  for (size_t i = 0; i < motif.size(); ++i) {
    const double end = i + 1 < motif.size() ? motif[i + 1].beat : 2.0 * style_.beats;
    motif[i].length = std::clamp(end - motif[i].beat, 0.2, 2.0);
  }
  return motif;
}

void Arranger::lead(const BarPlan& bar) {
  // Form of the phrase: a a b a over pairs of bars.
  const int pair = bar.number / 2 % 4;
  const Motif& motif = motifs_[size_t(bar.kind == 1 ? 2 - (pair == 2) : pair == 2)];
  const double from = bar.number % 2 * style_.beats, to = from + style_.beats;
  for (const MotifNote& one : motif) {
    if (one.beat < from || one.beat >= to || random_.chance(0.06)) continue;
    const bool strong = std::floor(one.beat) == one.beat;
    note(lead_program_, bar.first_beat + one.beat - from, one.length,
         key_.pitch(one.degree + bar.chord - (bar.chord > 3 ? 7 : 0), 5),
         bar.loudness * (strong ? 0.95 : 0.8));
  }
}

}  // namespace vmr::corpus
