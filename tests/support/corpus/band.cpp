#include "support/corpus/band.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "synth/random.h"

namespace vmr::corpus {
namespace {

constexpr double kTau = 6.283185307179586;

// What differs from one piece to the next.
struct Colour {
  double bright = 0.5, attack = 1, room = 0.2;
  uint64_t seed = 1;
};

double hertz_of(int pitch) { return 440 * std::exp2((pitch - 69) / 12.0); }

// A sine that decays to 1/e in `seconds`, by rotation of a complex number.
void add_partial(Samples& out, double hertz, double level, double seconds, double phase) {
  if (hertz > 0.45 * kRateHz) return;
  const double turn = kTau * hertz / kRateHz, shrink = std::exp(-1 / (seconds * kRateHz));
  const double c = shrink * std::cos(turn), s = shrink * std::sin(turn);
  double re = level * std::cos(phase), im = level * std::sin(phase);
  for (float& sample : out) {
    sample += float(im);
    const double next = re * c - im * s;
    im = re * s + im * c;
    re = next;
  }
}

void struck_strings(Samples& out, double hertz, double velocity, const Colour& colour) {
  for (int k = 1; k <= 10; ++k) {
    const double stretched = k * hertz * std::sqrt(1 + 0.0004 * k * k);
    const double level = std::pow(k, -1.9 + 0.9 * velocity * colour.bright) / 2;
    add_partial(out, stretched, level, 1.6 * std::pow(261 / hertz, 0.5) / (1 + 0.35 * k), 0.7 * k);
  }
}

void mallet(Samples& out, double hertz, double velocity, const Colour& colour) {
  add_partial(out, hertz, 0.8, 0.35, 0.5);
  add_partial(out, 3.93 * hertz, 0.35 * velocity, 0.08, 1.1);
  add_partial(out, 9.5 * hertz, 0.2 * velocity * colour.bright, 0.02, 2.0);
}

void organ(Samples& out, double hertz, const Colour& colour) {
  constexpr std::array kPipes{0.5, 1.0, 1.5, 2.0, 3.0, 4.0};
  for (size_t i = 0; i < kPipes.size(); ++i)
    add_partial(out, kPipes[i] * hertz, 0.3 / (1 + (1.5 - colour.bright) * double(i)), 30,
                1.3 * double(i));
}

// A plucked string: a burst in a loop that averages (Karplus and Strong 1983).
void plucked_string(Samples& out, double hertz, double bright, uint64_t seed) {
  const double period = kRateHz / hertz - 0.5;
  const auto length = std::max<size_t>(size_t(period), 2);
  const double rest = period - double(length);
  std::vector<double> loop(length + 1);
  synth::Noise noise(seed * 7919 + 13);
  double low = 0;
  for (double& value : loop) value = low += (0.15 + 0.8 * bright) * (noise.next() - low);
  size_t at = 0;
  double last = 0;
  for (float& sample : out) {
    const size_t next = at + 1 < loop.size() ? at + 1 : 0;
    // Read between two samples for the pitch, and between two periods for the loss.
    const double now = loop[next] * (1 - rest) + loop[at] * rest;
    loop[at] = 0.998 * 0.5 * (now + last);
    last = now;
    sample += float(now);
    at = next;
  }
}

// A saw whose edge is rounded by a polynomial (polyBLEP), against aliases.
double saw(double phase, double step) {
  double value = 2 * phase - 1;
  if (phase < step) {
    const double t = phase / step;
    value -= t + t - t * t - 1;
  } else if (phase > 1 - step) {
    const double t = (phase - 1) / step;
    value -= t * t + t + t + 1;
  }
  return value;
}

// Saws a few cents apart, with vibrato, through two one-pole low-passes.
void bowed(Samples& out, double hertz, int saws, double cents, double vibrato, double cut_hertz) {
  std::array<double, 3> phases{0.1, 0.45, 0.8};
  const double pole = 1 - std::exp(-kTau * std::min(cut_hertz, 16000.0) / kRateHz);
  double first = 0, second = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    const double t = double(i) / kRateHz;
    const double bend = 1 + vibrato * std::min(t / 0.4, 1.0) * std::sin(kTau * 5.5 * t);
    double sum = 0;
    for (int k = 0; k < saws; ++k) {
      const double step = hertz * bend * (1 + (k - 0.5 * (saws - 1)) * cents * 0.00058) / kRateHz;
      auto& phase = phases[size_t(k)];
      sum += saw(phase, step) / saws;
      phase += step;
      phase -= std::floor(phase);
    }
    first += pole * (sum - first);
    second += pole * (first - second);
    out[i] += float(second);
  }
}

void envelope(Samples& out, double attack_seconds, double held_seconds) {
  const double attack = std::max(attack_seconds * kRateHz, 20.0);
  const auto held = std::min(out.size(), size_t(held_seconds * kRateHz));
  for (size_t i = 0; i < out.size(); ++i) {
    double gain = std::min((double(i) + 1) / attack, 1.0);
    if (i > held) gain *= std::pow(double(out.size() - i) / double(out.size() - held), 2);
    out[i] *= float(gain);
  }
}

bool is_pad(int program) { return program / 8 == 5 || program / 8 == 6 || program / 8 == 11; }
bool is_wind(int program) { return program / 8 >= 7 && program / 8 <= 9; }

double attack_seconds(int program, const Colour& colour) {
  return is_pad(program) ? 0.05 + 0.06 * colour.attack : is_wind(program) ? 0.03 : 0.002;
}

void play_note(const Note& note, const Colour& colour, uint64_t seed, Samples& out) {
  const double hertz = hertz_of(note.pitch), loud = note.velocity;
  const int family = note.program / 8;
  const bool pad = is_pad(note.program);
  const double release = family == 0 ? 0.25 : family == 1 ? 0.5 : pad ? 0.25 : 0.08;
  out.assign(size_t((note.length_seconds + release) * kRateHz), 0);
  const double cut = 700 + 5000 * colour.bright * loud + hertz;
  switch (family) {
    case 0:
      struck_strings(out, hertz, loud, colour);
      break;
    case 1:
      mallet(out, hertz, loud, colour);
      break;
    case 2:
      organ(out, hertz, colour);
      break;
    case 3:
      plucked_string(out, hertz, colour.bright * loud, seed);
      break;
    case 4:
      if (note.program < 36)
        plucked_string(out, hertz, 0.2, seed);
      else
        bowed(out, hertz, 2, 6, 0, 300 + 900 * colour.bright);
      break;
    default:
      bowed(out, hertz, pad ? 3 : 2, pad ? 9 : 4, is_wind(note.program) ? 0.005 : 0.002, cut);
  }
  envelope(out, attack_seconds(note.program, colour), note.length_seconds);
}

struct Strike {
  double tone_hertz, glide, tone_seconds, tone_level, noise_hertz, noise_seconds, noise_level;
};

// The nearest of our drums to a General MIDI key.
Strike strike_of(int key) {
  switch (key) {
    case 35:
    case 36:
      return {50, 4, 0.12, 1.0, 1500, 0.004, 0.3};
    case 37:
    case 75:
    case 76:
      return {1700, 1, 0.015, 0.5, 2500, 0.01, 0.5};
    case 38:
    case 40:
      return {180, 1.3, 0.07, 0.5, 1800, 0.09, 0.7};
    case 39:
      return {900, 1, 0.01, 0.1, 1100, 0.07, 0.8};
    case 41:
      return {90, 1.5, 0.2, 0.9, 1500, 0.02, 0.2};
    case 45:
      return {120, 1.5, 0.18, 0.9, 1500, 0.02, 0.2};
    case 48:
      return {170, 1.5, 0.15, 0.9, 1500, 0.02, 0.2};
    case 46:
      return {7000, 1, 0.05, 0.05, 6500, 0.15, 0.5};
    case 49:
      return {5200, 1, 0.3, 0.05, 4000, 0.5, 0.6};
    case 51:
      return {4275, 1, 0.25, 0.15, 6000, 0.06, 0.3};
    case 56:
      return {840, 1, 0.09, 0.6, 3000, 0.01, 0.1};
    case 62:
    case 63:
    case 64:
      return {key == 64 ? 190.0 : 330.0, 1.2, 0.09, 0.8, 2000, 0.008, 0.3};
    case 70:
    case 82:
      return {6000, 1, 0.01, 0.02, 5000, 0.035, 0.5};
    default:
      return {8000, 1, 0.01, 0.02, 7500, 0.03, 0.5};
  }
}

Samples make_drum(int key, const Colour& colour) {
  const Strike strike = strike_of(key);
  synth::Random random(colour.seed, "drum", key);
  const double tune = random.uniform(0.85, 1.2), length = random.uniform(0.75, 1.3);
  synth::Noise noise(random.next());
  Samples out(size_t(5 * length * std::max(strike.tone_seconds, strike.noise_seconds) * kRateHz));
  const double pole = 1 - std::exp(-kTau * strike.noise_hertz / kRateHz);
  double phase = 0, low = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    const double t = double(i) / kRateHz;
    const double hertz = tune * strike.tone_hertz * (1 + (strike.glide - 1) * std::exp(-t / 0.02));
    phase += kTau * hertz / kRateHz;
    const double white = noise.next();
    low += pole * (white - low);
    const double tone = strike.tone_level * std::exp(-t / (length * strike.tone_seconds));
    const double hiss = strike.noise_level * std::exp(-t / (length * strike.noise_seconds));
    out[i] = float(tone * std::sin(phase) + hiss * (white - low));
  }
  return out;
}

// Four combs and two all-passes (Schroeder 1962).
void add_room(Samples& samples, double level) {
  Samples wet(samples.size());
  for (const size_t delay : {1557, 1617, 1491, 1422}) {
    Samples line(delay);
    for (size_t i = 0; i < samples.size(); ++i) {
      float& cell = line[i % delay];
      const float out = cell;
      cell = samples[i] + 0.78f * out;
      wet[i] += 0.25f * out;
    }
  }
  for (const size_t delay : {225, 556}) {
    Samples line(delay);
    for (size_t i = 0; i < wet.size(); ++i) {
      float& cell = line[i % delay];
      const float out = cell - 0.5f * wet[i];
      cell = wet[i] + 0.5f * out;
      wet[i] = out;
    }
  }
  for (size_t i = 0; i < samples.size(); ++i) samples[i] += float(level) * wet[i];
}

}  // namespace

Samples play_band(const Piece& piece, uint64_t seed) {
  uint64_t name = seed;
  for (const char letter : piece.name) name = name * 131 + uint64_t(letter);
  synth::Random random(name, "band");
  const Colour colour{random.uniform(0.2, 1), random.uniform(), random.uniform(0.05, 0.45),
                      random.next()};
  Samples mix(size_t(piece.seconds * kRateHz)), sound;
  std::map<int, Samples> drums;
  for (size_t i = 0; i < piece.notes.size(); ++i) {
    const Note& note = piece.notes[i];
    double gain = 0.2 * note.velocity;
    if (note.program == kDrums) {
      if (!drums.contains(note.pitch)) drums[note.pitch] = make_drum(note.pitch, colour);
      sound = drums[note.pitch];
      gain = 0.5 * note.velocity;
    } else {
      play_note(note, colour, name + i, sound);
    }
    // Players of slow instruments begin early, so that the note is heard on the beat.
    const double early = note.program == kDrums ? 0 : 0.4 * attack_seconds(note.program, colour);
    const auto start = size_t(std::lround(std::max(note.start_seconds - early, 0.0) * kRateHz));
    for (size_t k = 0; k < sound.size() && start + k < mix.size(); ++k)
      mix[start + k] += float(gain) * sound[k];
  }
  add_room(mix, colour.room);
  return mix;
}

}  // namespace vmr::corpus
