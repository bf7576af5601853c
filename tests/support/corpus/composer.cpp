#include "support/corpus/composer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "support/corpus/arrangement.h"

namespace vmr::corpus {
namespace {

using synth::Random;

constexpr double kLow = 60, kHigh = 190;  // beats/min

// Tempi spread over the range, in random order.
std::vector<double> spread_tempi(Random& random, int pieces) {
  std::vector<double> tempi;
  for (int i = 0; i < pieces; ++i)
    tempi.push_back(kLow * std::pow(kHigh / kLow, (i + random.uniform()) / pieces));
  for (size_t i = tempi.size(); i > 1; --i)
    std::swap(tempi[i - 1], tempi[size_t(random.below(int(i)))]);
  return tempi;
}

// For each tempo the style least used so far among those which are played at it.
std::vector<const Style*> choose_styles(Random& random, const std::vector<double>& tempi) {
  std::vector<int> used(styles().size());
  std::vector<const Style*> chosen;
  for (const double bpm : tempi) {
    size_t best = styles().size();
    double least = 1e9;
    for (size_t i = 0; i < styles().size(); ++i) {
      const auto& style = styles()[i];
      const double score = used[i] + 0.9 * random.uniform();
      if (bpm < style.low || bpm > style.high || score >= least) continue;
      least = score;
      best = i;
    }
    ++used[best];
    chosen.push_back(&styles()[best]);
  }
  return chosen;
}

TempoShape shape_tempo(int index, double bpm, int beats, const Style& style, Random& random,
                       std::set<std::string>& tags) {
  TempoShape shape;
  shape.bpm = bpm;
  shape.swing = style.swing;
  shape.phrase_beats = 4 * style.beats;
  shape.rubato = style.rubato * random.uniform(0.5, 1.3);
  shape.drift = style.drums[0].kick.empty() ? 0.01 : random.chance(0.5) ? 0.004 : 0;
  if (style.rubato > 0) tags.insert("expressive");
  // Slow tempi rise and fast ones fall.
  const bool faster = bpm < 75 || (bpm < 150 && random.chance(0.5));
  if (index % 8 == 3) {
    shape.ramp = faster ? random.uniform(1.1, 1.25) : random.uniform(0.8, 0.91);
    tags.insert("ramp");
  } else if (index % 8 == 6) {
    shape.step = faster ? random.uniform(1.12, 1.3) : random.uniform(0.76, 0.9);
    shape.step_beat = beats / style.beats / 2 * style.beats;
    tags.insert("step");
  }
  if (style.drums[0].kick.empty() && random.chance(0.5))
    shape.ritardando = random.uniform(0.1, 0.3);
  if (index % 10 == 7) {
    const int bar = int(beats / style.beats * random.uniform(0.4, 0.7));
    shape.pause_beats = {bar * style.beats - 1};
    shape.pause_seconds = random.uniform(1.2, 3.0);
    tags.insert("pause");
  }
  return shape;
}

Treatment treat(int index, Random& random, std::set<std::string>& tags) {
  Treatment treatment;
  treatment.level_db = -random.uniform(1, 8);
  if (index % 5 == 1) {
    treatment.noise_snr_db = random.uniform(6, 20);
    tags.insert("noise");
  }
  if (index % 5 == 3) {
    treatment.mp3_kbps = std::array{32, 48, 64, 96}[size_t(random.below(4))];
    tags.insert("mp3");
  }
  if (index % 7 == 2) {
    treatment.fade_in_seconds = random.uniform(3, 8);
    treatment.fade_out_seconds = random.uniform(4, 10);
    tags.insert("fade");
  }
  if (index % 9 == 4) {
    treatment.level_db = -random.uniform(32, 42);
    tags.insert("quiet");
  }
  return treatment;
}

struct Section {
  int bars = 8, kind = 0;
  bool drums = true, bass = true, comp = true, lead = true;
  double loudness = 0.75;
};

// Introduction, verses and choruses, at times a break, until the bars are used up.
std::vector<Section> plan_form(int bars, const Style& style, Random& random) {
  std::vector<Section> form;
  const int length = bars >= 40 ? 8 : bars >= 16 ? 4 : 2;
  int used = 0;
  for (int i = 0; used < bars; ++i) {
    Section section;
    section.bars = std::min(length, bars - used);
    if (i == 0) {
      section.lead = false;
      section.drums = random.chance(0.6);
      section.bass = random.chance(0.5);
      section.loudness = 0.6;
    } else if (i % 5 == 4) {
      section.drums = random.chance(0.4);
      section.bass = random.chance(0.6);
      section.lead = random.chance(0.5);
      section.loudness = 0.55;
    } else if (i % 5 == 3 || i % 5 == 2) {
      section.kind = 1;
      section.loudness = 0.85;
    }
    // Off-beat chords alone have no beat that anyone could hear.
    if (style.comp == Comp::off_beat || style.comp == Comp::montuno) section.drums = true;
    used += section.bars;
    form.push_back(section);
  }
  return form;
}

void write_form(const std::vector<Section>& form, bool fades, const Style& style, const Key& key,
                const BeatClock& clock, Random& random, Piece& piece) {
  constexpr std::array<std::array<int, 4>, 6> kMajor{
      {{0, 4, 5, 3}, {0, 5, 3, 4}, {5, 3, 0, 4}, {0, 3, 4, 3}, {1, 4, 0, 0}, {0, 5, 1, 4}}};
  constexpr std::array<std::array<int, 4>, 4> kMinor{
      {{0, 5, 2, 6}, {0, 3, 4, 0}, {0, 6, 5, 4}, {0, 3, 6, 2}}};
  const auto progression = [&] {
    return key.minor ? kMinor[size_t(random.below(4))] : kMajor[size_t(random.below(6))];
  };
  const std::array progressions{progression(), progression()};
  const int hold = clock.mean_bpm() > 150 && style.beats == 4 && random.chance(0.6) ? 2 : 1;
  Arranger arranger(style, key, clock, Random(random.next(), "arranger"), piece);
  int beat = 0;
  for (const Section& section : form) {
    const auto& chords = progressions[size_t(section.kind)];
    for (int i = 0; i < section.bars; ++i, beat += style.beats) {
      BarPlan bar;
      bar.first_beat = beat;
      bar.number = i;
      bar.kind = section.kind;
      bar.chord = chords[size_t(i / hold % 4)];
      bar.next_chord = chords[size_t((i + 1) / hold % 4)];
      bar.first_of_section = i == 0;
      bar.last_of_section = i == section.bars - 1;
      bar.drums = section.drums && !style.drums[0].kick.empty();
      bar.bass = section.bass;
      bar.comp = section.comp;
      bar.lead = section.lead;
      bar.loudness = section.loudness;
      arranger.write_bar(bar);
    }
  }
  if (!fades) arranger.end_on(beat);
}

Piece compose(int index, uint64_t seed, double bpm, const Style& style) {
  Random random(seed, "song", index);
  Piece piece;
  piece.name =
      (index < 10 ? "song_0" : "song_") + std::to_string(index) + "_" + std::string(style.name);
  piece.metre = style.metre;
  piece.tags = {std::string(style.name), "metre_" + std::string(style.metre)};
  if (!style.tag.empty()) piece.tags.insert(std::string(style.tag));
  if (style.drums[0].kick.empty()) piece.tags.insert("no_drums");
  const double wanted = random.uniform(28, 48);
  const int bars = std::max(int(wanted * bpm / 60 / style.beats), 6);
  const TempoShape shape = shape_tempo(index, bpm, bars * style.beats, style, random, piece.tags);
  const BeatClock clock(shape, random.uniform(0.1, 1.4), bars * style.beats,
                        Random(seed, "clock", index));
  piece.bpm = clock.mean_bpm();
  piece.tempo_octave_ok = piece.bpm < 76 || piece.bpm > 152 || style.comp == Comp::sparse;
  piece.tags.insert(piece.bpm < 80 ? "slow" : piece.bpm > 150 ? "fast" : "medium");
  const double tail_seconds = random.uniform(0.5, 2.5);
  const Key key{random.below(12), random.chance(0.4)};
  const auto form = plan_form(bars, style, random);
  const uint64_t seed_of_parts = random.next();
  piece.treatment = treat(index, random, piece.tags);
  const bool fades = piece.treatment.fade_out_seconds > 0;
  // A piece that does not fade ends on a beat of its own.
  piece.beats.assign(clock.times().begin(), clock.times().end() - fades);
  for (size_t i = 0; i < piece.beats.size(); i += size_t(style.beats))
    piece.down_beats.push_back(piece.beats[i]);
  piece.seconds = clock.times().back() + (fades ? 0 : tail_seconds);
  Random parts(seed_of_parts, "parts");
  write_form(form, fades, style, key, clock, parts, piece);
  return piece;
}

}  // namespace

std::vector<Piece> compose_songs(uint64_t seed, int pieces) {
  Random random(seed, "songs");
  const auto tempi = spread_tempi(random, pieces);
  const auto chosen = choose_styles(random, tempi);
  std::vector<Piece> songs;
  for (int i = 0; i < pieces; ++i)
    songs.push_back(compose(i, seed, tempi[size_t(i)], *chosen[size_t(i)]));
  return songs;
}

}  // namespace vmr::corpus
