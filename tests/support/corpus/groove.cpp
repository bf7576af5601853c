#include "support/corpus/groove.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "support/corpus/beat_clock.h"

namespace vmr::corpus {
namespace {

using synth::Random;

struct Metre {
  const char* name;
  std::vector<int> groups;  // beats of the bar, accents at the beginning of each group
  int steps;                // a beat
  double low, high;         // beats/min
  double weight;
};

const std::vector<Metre>& metres() {
  static const std::vector<Metre> all{
      {"4/4", {2, 2}, 4, 60, 150, 5},  {"4/4", {2, 2}, 2, 100, 190, 4},
      {"4/4", {4}, 3, 60, 130, 1.5},   {"3/4", {3}, 2, 70, 190, 2},
      {"2/4", {2}, 4, 70, 140, 1.5},   {"5/4", {3, 2}, 2, 90, 190, 1},
      {"5/4", {2, 3}, 2, 90, 190, 1},  {"6/8", {2}, 3, 60, 110, 1.5},
      {"7/4", {4, 3}, 2, 110, 190, 1}, {"7/4", {2, 2, 3}, 2, 110, 190, 1}};
  return all;
}

struct Step {
  double level = 0;  // 0: rest
  int pitch = 0;
};
using Cycle = std::vector<Step>;  // of one bar

struct Layer {
  enum class Kind { kick, backbeat, ticker, hands, bass, chords, ostinato, melody } kind;
  int program = kDrums;
  Cycle cycle;
  double length = 0.5;  // of its notes, beats
};

class Groove {
 public:
  Groove(int index, uint64_t seed);
  Piece take() { return std::move(piece_); }

 private:
  void choose_band();
  void shape_time();
  void play();
  void treat();
  void end();
  Cycle cycle_of(Layer::Kind kind);
  void play_bar(const Layer& layer, int bar, int chord, double loudness);
  double weight(int step) const;
  int pitch(int degree, int octave) const;
  int steps() const { return beats_ * metre_->steps; }

  Random random_;
  int index_;
  Piece piece_;
  const Metre* metre_ = nullptr;
  int beats_ = 4, bars_ = 16;
  bool drums_ = true;
  double loose_seconds_ = 0.004;
  int tonic_ = 0;
  std::array<int, 7> mode_{};
  std::vector<Layer> layers_;
  std::unique_ptr<BeatClock> clock_;
};

Groove::Groove(int index, uint64_t seed) : random_(seed, "groove", index), index_(index) {
  double bpm = 0;
  do bpm = 112 * std::exp(0.34 * random_.normal());
  while (bpm < 60 || bpm > 190);
  std::vector<double> weights;
  for (const auto& metre : metres())
    weights.push_back(bpm >= metre.low && bpm <= metre.high ? metre.weight : 0);
  metre_ = &metres()[size_t(random_.pick(weights))];
  beats_ = 0;
  for (const int group : metre_->groups) beats_ += group;
  bars_ = std::max(int(random_.uniform(24, 46) * bpm / 60 / beats_), 6);
  piece_.name = (index < 10 ? "groove_0" : "groove_") + std::to_string(index);
  piece_.metre = metre_->name;
  piece_.tags.insert("metre_" + piece_.metre);
  if (piece_.metre == "6/8" || metre_->steps == 3) piece_.tags.insert("compound");
  piece_.bpm = bpm;
  drums_ = random_.chance(0.62);
  tonic_ = random_.below(12);
  constexpr std::array<std::array<int, 7>, 4> kModes{{{0, 2, 3, 5, 7, 9, 10},
                                                      {0, 2, 4, 5, 7, 9, 10},
                                                      {0, 1, 3, 5, 7, 8, 10},
                                                      {0, 2, 4, 6, 7, 9, 11}}};
  mode_ = kModes[size_t(random_.below(4))];
  choose_band();
  shape_time();
  play();
  treat();
  end();
}

// How strongly the metre marks a step, in (0, 1].
double Groove::weight(int step) const {
  const int beat = step / metre_->steps, place = step % metre_->steps;
  if (place != 0) return metre_->steps % 2 == 0 && place == metre_->steps / 2 ? 0.35 : 0.15;
  if (beat == 0) return 1;
  int start = 0;
  for (const int group : metre_->groups) {
    if (beat == start) return 0.8;
    start += group;
  }
  return 0.6;
}

int Groove::pitch(int degree, int octave) const {
  const int turns = int(std::floor(degree / 7.0));
  return 12 * (octave + 1 + turns) + tonic_ + mode_[size_t(degree - 7 * turns)];
}

Cycle Groove::cycle_of(Layer::Kind kind) {
  using Kind = Layer::Kind;
  const int count = steps();
  Cycle cycle{size_t(count)};
  const double sharpness = random_.uniform(0.8, 1.8), busy = random_.uniform(0.7, 1.2);
  const int pulses = 2 + random_.below(std::max(count / 2 - 1, 1)), turn = random_.below(count);
  int degree = 0;
  for (int step = 0; step < count; ++step) {
    const double metric = weight(step);
    const bool on_beat = step % metre_->steps == 0;
    bool sounds = false;
    switch (kind) {
      case Kind::kick:
        sounds = step == 0 || random_.chance(0.7 * std::pow(metric, 2 * sharpness));
        break;
      case Kind::backbeat:
        sounds = on_beat ? metric == 0.6 && random_.chance(0.92) : random_.chance(0.06);
        break;
      case Kind::ticker:
        sounds = on_beat || random_.chance(metric > 0.3 ? 0.85 : 0.35);
        break;
      case Kind::hands:  // as even as `pulses` strokes can lie in the bar
        sounds = (step + turn) * pulses / count != (step + turn + 1) * pulses / count;
        break;
      case Kind::chords:
        sounds = step == 0 || random_.chance(0.5 * busy * std::pow(metric, 1.5));
        break;
      case Kind::ostinato:
        sounds = random_.chance(metre_->steps == 4 && !on_beat && metric < 0.3 ? 0.4 : 0.95);
        break;
      default:
        sounds = step == 0 || random_.chance(busy * std::pow(metric, sharpness));
    }
    degree += random_.below(5) - 2;
    degree = std::clamp(degree, -4, 8);
    if (on_beat && random_.chance(0.6)) degree = 2 * random_.below(3);
    if (kind == Kind::bass)
      degree = step == 0 ? 0 : std::array{0, 4, 7, 0, -3}[size_t(random_.below(5))];
    if (sounds) cycle[size_t(step)] = {0.45 + 0.5 * metric, degree};
  }
  return cycle;
}

void Groove::choose_band() {
  using Kind = Layer::Kind;
  const auto add = [&](Kind kind, int program, double length) {
    layers_.push_back({kind, program, cycle_of(kind), length});
  };
  const auto any = [&](std::initializer_list<int> programs) {
    return programs.begin()[random_.below(int(programs.size()))];
  };
  if (drums_) {
    add(Kind::kick, kDrums, 0);
    if (random_.chance(0.8)) add(Kind::backbeat, kDrums, 0);
    if (random_.chance(0.85)) add(Kind::ticker, kDrums, 0);
    if (random_.chance(0.45)) add(Kind::hands, kDrums, 0);
  } else {
    piece_.tags.insert("no_drums");
    loose_seconds_ = random_.uniform(0.004, 0.012);
  }
  if (random_.chance(0.85)) add(Kind::bass, any({32, 33, 38, 0, 42}), 0.8);
  const int colour = any({0, 11, 16, 24, 48, 89});
  if (!drums_ || random_.chance(0.8))
    add(Kind::chords, colour, colour == 48 || colour == 89 ? 2 : 0.7);
  if (!drums_ || random_.chance(0.5)) add(Kind::ostinato, any({12, 24, 0, 45, 81}), 0.4);
  if (random_.chance(0.75)) add(Kind::melody, any({73, 40, 65, 80, 0, 25}), 0.8);
  if (layers_.size() <= 3) piece_.tags.insert("sparse");
}

void Groove::shape_time() {
  TempoShape shape;
  shape.bpm = piece_.bpm;
  shape.drift = random_.chance(0.6) ? random_.uniform(0.002, 0.015) : 0;
  shape.phrase_beats = 8 * beats_;
  // Slow tempi rise and fast ones fall.
  const double away = piece_.bpm < 80 ? 1 : piece_.bpm > 140 ? -1 : random_.sign();
  switch (random_.pick({6, 1.2, 1.2, 1.2})) {
    case 1:
      shape.ramp = std::exp(away * random_.uniform(0.08, 0.25));
      piece_.tags.insert("ramp");
      break;
    case 2:
      shape.step = std::exp(away * random_.uniform(0.1, 0.28));
      shape.step_beat = bars_ / 3 * beats_ + beats_;
      piece_.tags.insert("step");
      break;
    case 3:
      if (!drums_) {
        shape.rubato = random_.uniform(0.02, 0.06);
        piece_.tags.insert("expressive");
      }
      break;
  }
  if (metre_->steps == 2 && random_.chance(0.4)) {
    shape.swing = random_.uniform(0.58, 0.68);
    piece_.tags.insert("swung");
  }
  if (random_.chance(0.08)) {
    shape.pause_beats = {bars_ / 2 * beats_ - 1};
    shape.pause_seconds = random_.uniform(1, 2.5);
    piece_.tags.insert("pause");
  }
  clock_ = std::make_unique<BeatClock>(shape, random_.uniform(0.05, 2), bars_ * beats_,
                                       Random(random_.next(), "clock"));
  piece_.bpm = clock_->mean_bpm();
  piece_.tempo_octave_ok = piece_.bpm < 76 || piece_.bpm > 152;
  piece_.tags.insert(piece_.bpm < 80 ? "slow" : piece_.bpm > 150 ? "fast" : "medium");
  piece_.seconds = clock_->times().back() + random_.uniform(0.3, 3);
}

void Groove::play_bar(const Layer& layer, int bar, int chord, double loudness) {
  using Kind = Layer::Kind;
  constexpr std::array kHands{62, 63, 64};
  const int octave = layer.kind == Kind::bass ? 2 : layer.kind == Kind::melody ? 5 : 4;
  const auto strike = [&](int step, int key, double level, double length) {
    const double place = bar * beats_ + double(step) / metre_->steps;
    const double off = loose_seconds_ * std::clamp(random_.normal(), -2.5, 2.5);
    const double start = std::max(clock_->seconds(place) + off, 0.0);
    const double end = clock_->seconds(place + length);
    piece_.notes.push_back({layer.program, start, std::max(end - start, 0.05), key,
                            std::clamp(level * loudness * random_.uniform(0.88, 1.1), 0.08, 1.0)});
  };
  for (int step = 0; step < steps(); ++step) {
    const Step& now = layer.cycle[size_t(step)];
    // Players leave a note out or add one.
    if (random_.chance(0.03) ? now.level > 0 : now.level == 0) continue;
    switch (layer.kind) {
      case Kind::kick:
        strike(step, 36, 1.2 * now.level, 0.2);
        break;
      case Kind::backbeat:
        strike(step, index_ % 3 == 0 ? 39 : 38, 1.2 * now.level, 0.2);
        break;
      case Kind::ticker:
        strike(step, index_ % 4 == 1 ? 70 : index_ % 4 == 2 ? 51 : 42, 0.7 * now.level, 0.2);
        break;
      case Kind::hands:
        strike(step, kHands[size_t(step) % 3], 0.8 * now.level, 0.2);
        break;
      case Kind::chords:
        for (const int tone : {0, 2, 4})
          strike(step, pitch(chord + tone, octave), 0.6 * now.level, layer.length);
        break;
      default:
        strike(step, pitch(chord + now.pitch, octave), now.level, layer.length);
    }
  }
}

void Groove::play() {
  const int phrase = bars_ >= 24 ? 4 : 2;
  std::vector<bool> on(layers_.size(), true);
  std::vector<int> chords(size_t(phrase), 0);
  for (int bar = 0; bar < bars_; ++bar) {
    if (bar % phrase == 0) {
      for (size_t i = 0; i < on.size(); ++i) on[i] = random_.chance(bar == 0 ? 0.6 : 0.8);
      // Somebody has to keep the time: one layer that marks the metre is always there.
      on[0] = true;
      if (bar / phrase % 3 == 2) {
        const auto changed = size_t(random_.below(int(layers_.size())));
        layers_[changed].cycle = cycle_of(layers_[changed].kind);
      }
      if (bar == 0 || random_.chance(0.3)) {
        for (int& chord : chords) chord = std::array{0, 0, 3, 4, -2, -1}[size_t(random_.below(6))];
        chords[0] = 0;
      }
    }
    const double loudness = 0.65 + 0.25 * std::sin(0.5 * bar / phrase + index_);
    for (size_t i = 0; i < layers_.size(); ++i)
      if (on[i]) play_bar(layers_[i], bar, chords[size_t(bar % phrase)], loudness);
  }
}

void Groove::treat() {
  auto& treatment = piece_.treatment;
  treatment.level_db = -random_.uniform(0.5, 12);
  switch (random_.pick({5, 1.5, 1.5, 1, 1})) {
    case 1:
      treatment.noise_snr_db = random_.uniform(8, 22);
      piece_.tags.insert("noise");
      break;
    case 2:
      treatment.mp3_kbps = std::array{40, 56, 80}[size_t(random_.below(3))];
      piece_.tags.insert("mp3");
      break;
    case 3:
      treatment.fade_in_seconds = random_.uniform(2, 6);
      treatment.fade_out_seconds = random_.uniform(3, 12);
      piece_.tags.insert("fade");
      break;
    case 4:
      treatment.level_db = -random_.uniform(30, 45);
      piece_.tags.insert("quiet");
      break;
  }
}

// A piece that does not fade ends on a beat of its own, the tonic of everyone.
void Groove::end() {
  const bool fades = piece_.treatment.fade_out_seconds > 0;
  const double last = clock_->times().back();
  piece_.beats.assign(clock_->times().begin(), clock_->times().end() - fades);
  for (size_t i = 0; i < piece_.beats.size(); i += size_t(beats_))
    piece_.down_beats.push_back(piece_.beats[i]);
  if (fades) {
    piece_.seconds = last;
    return;
  }
  for (const Layer& layer : layers_) {
    const int octave = layer.kind == Layer::Kind::bass ? 2 : 4;
    const int key = layer.program == kDrums ? 36 : pitch(0, octave);
    piece_.notes.push_back({layer.program, last, 1.2, key, 0.8});
  }
}

}  // namespace

std::vector<Piece> compose_grooves(uint64_t seed, int pieces) {
  std::vector<Piece> all;
  for (int i = 0; i < pieces; ++i) all.push_back(Groove(i, seed).take());
  return all;
}

}  // namespace vmr::corpus
