#include "support/corpus/noises.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "support/corpus/no_music.h"

namespace vmr::corpus {
namespace {

using synth::Random;

constexpr double kTau = 6.283185307179586;

double one_pole(double hertz) { return 1 - std::exp(-kTau * hertz / kRateHz); }

void add(const Samples& other, double gain, Samples& samples) {
  for (size_t i = 0; i < samples.size(); ++i) samples[i] += float(gain) * other[i];
}

Samples white(Random& random) { return low_passed_noise(22000, random); }
Samples brown(Random& random) { return low_passed_noise(random.uniform(20, 80), random); }

// Low-passed noises an octave apart, of equal power each.
Samples pink(Random& random) {
  auto out = minute();
  for (double hertz = 20; hertz < kRateHz / 3.; hertz *= 2)
    add(low_passed_noise(hertz, random), 1 / std::sqrt(hertz), out);
  return out;
}

// 6 dB an octave up.
Samples differences(Samples samples) {
  float before = 0;
  for (float& sample : samples) {
    const float now = sample;
    sample = now - before;
    before = now;
  }
  return samples;
}

Samples blue(Random& random) { return differences(pink(random)); }
Samples violet(Random& random) { return differences(white(random)); }

// White noise through a resonance.
Samples band(Random& random) {
  auto out = minute();
  synth::Noise noise(random.next());
  const double hertz = 150 * std::pow(30, random.uniform()), radius = random.uniform(0.98, 0.998);
  const double turn = 2 * radius * std::cos(kTau * hertz / kRateHz);
  double last = 0, before = 0;
  for (float& sample : out) {
    const double now = noise.next() + turn * last - radius * radius * before;
    before = last;
    sample = float(last = now);
  }
  return out;
}

struct Bursts {
  double per_second;
  double shortest_ms, longest_ms;  // in which a burst falls to 1/e
  double loudness_spread;          // standard deviation of the logarithm of their gains
};

// Bursts of noise at times that know nothing of each other.
Samples bursts(const Bursts& kind, Random& random) {
  auto out = minute();
  synth::Noise noise(random.next());
  double seconds = 0;
  while (true) {
    seconds -= std::log(1 - random.uniform()) / kind.per_second;
    auto at = size_t(seconds * kRateHz);
    if (at >= out.size()) return out;
    double gain = std::exp(kind.loudness_spread * random.normal());
    const double fall =
        std::exp(-1e3 / kRateHz / random.uniform(kind.shortest_ms, kind.longest_ms));
    for (const double least = 1e-3 * gain; gain > least && at < out.size(); gain *= fall, ++at)
      out[at] += float(gain * noise.next());
  }
}

Samples rain(Random& random) {
  auto out = bursts({random.uniform(150, 600), 1, 6, 0.8}, random);
  add(pink(random), 0.5, out);
  return out;
}

Samples crackle(Random& random) {
  auto out = bursts({random.uniform(3, 30), 0.2, 1, 0.7}, random);
  add(white(random), 0.02, out);
  return out;
}

Samples applause(Random& random) { return bursts({random.uniform(40, 150), 2, 8, 0.4}, random); }

// Waves of 5 to 14 s, no two alike.
Samples surf(Random& random) {
  auto out = pink(random);
  for (size_t begin = 0; begin < out.size();) {
    const auto length = size_t(random.uniform(5, 14) * kRateHz);
    const double height = random.uniform(0.3, 1), crest = random.uniform(0.3, 0.7);
    for (size_t i = 0; i < length && begin + i < out.size(); ++i) {
      const double part = double(i) / double(length);
      const double rise = part < crest ? part / crest : (1 - part) / (1 - crest);
      out[begin + i] *= float(0.1 + height * rise * rise);
    }
    begin += length;
  }
  return out;
}

// Steady tones in no harmony, with a breath of noise.
Samples drone(Random& random) {
  auto out = low_passed_noise(300, random);
  for (int tone = 0; tone < 5; ++tone) {
    const double hertz = random.uniform(60, 900), phase = random.uniform(0, kTau);
    const double gain = random.uniform(0.05, 0.3);
    for (size_t i = 0; i < out.size(); ++i)
      out[i] += float(gain * std::sin(phase + kTau * hertz * double(i) / kRateHz));
  }
  return out;
}

Samples at_level(Samples samples, double level_db) {
  scale_to_peak(samples, level_db);
  return samples;
}

Samples digital(Random&) { return minute(); }
Samples hiss(Random& random) { return at_level(low_passed_noise(4000, random), -80); }
Samples mains(Random& random) { return at_level(hum(random), random.uniform(-45, -25)); }

// The last bit of 16.
Samples dither(Random& random) {
  auto out = minute();
  for (float& sample : out) sample = random.chance(0.5) ? 1.0f / 32767 : 0.0f;
  return out;
}

// Rumble that comes and goes over seconds, and hiss.
Samples room(Random& random) {
  auto out = low_passed_noise(60, random);
  double strength = 0, aim = 0;
  for (float& sample : out) {
    if (random.chance(0.3 / kRateHz)) aim = random.normal();
    strength += (aim - strength) * 0.8 / kRateHz;
    sample *= float(std::exp(0.5 * strength));
  }
  out = at_level(std::move(out), random.uniform(-55, -40));
  add(hiss(random), 1, out);
  return out;
}

Samples rare_clicks(Random& random) {
  return at_level(bursts({random.uniform(0.2, 2), 0.2, 2, 0.5}, random), -random.uniform(6, 30));
}

Samples clicks(Random& random) {
  auto out = rare_clicks(random);
  add(hiss(random), 1, out);
  return out;
}

Samples hum_with_clicks(Random& random) {
  auto out = rare_clicks(random);
  add(mains(random), 1, out);
  return out;
}

constexpr std::array<NoiseKind, 12> kNoise{{{"white", white},
                                            {"pink", pink},
                                            {"brown", brown},
                                            {"blue", blue},
                                            {"violet", violet},
                                            {"band", band},
                                            {"wind", wind},
                                            {"rain", rain},
                                            {"surf", surf},
                                            {"crackle", crackle},
                                            {"applause", applause},
                                            {"drone", drone}}};

constexpr std::array<NoiseKind, 7> kSilence{{{"digital", digital},
                                             {"dither", dither},
                                             {"hiss", hiss},
                                             {"hum", mains},
                                             {"room", room},
                                             {"clicks", clicks},
                                             {"hum_with_clicks", hum_with_clicks}}};

}  // namespace

std::span<const NoiseKind> noise_kinds() { return kNoise; }
std::span<const NoiseKind> silence_kinds() { return kSilence; }

Samples minute() { return Samples(size_t(kNoMusicSeconds * kRateHz)); }

Samples low_passed_noise(double hertz, Random& random) {
  auto out = minute();
  synth::Noise noise(random.next());
  const double pole = one_pole(hertz);
  double low = 0;
  for (float& sample : out) sample = float(low += pole * (noise.next() - low));
  return out;
}

// Noise whose colour and strength wander without a period.
Samples wind(Random& random) {
  auto out = minute();
  synth::Noise noise(random.next());
  double low = 0, colour = 0, strength = 0, colour_aim = 0, strength_aim = 0;
  for (float& sample : out) {
    if (random.chance(0.8 / kRateHz)) colour_aim = random.normal();
    if (random.chance(0.5 / kRateHz)) strength_aim = random.normal();
    colour += (colour_aim - colour) * 1.5 / kRateHz;
    strength += (strength_aim - strength) * 1.2 / kRateHz;
    const double pole = 1 - std::exp(-kTau * 500 * std::exp(0.7 * colour) / kRateHz);
    low += pole * (noise.next() - low);
    sample = float(low * std::exp(0.6 * strength));
  }
  return out;
}

Samples hum(Random& random) {
  auto out = minute();
  synth::Noise noise(random.next());
  const double hertz = random.uniform(48, 62);
  for (size_t i = 0; i < out.size(); ++i) {
    double sum = 0.02 * noise.next();
    for (int k = 1; k <= 7; ++k)
      sum += std::sin(kTau * k * hertz * double(i) / kRateHz + k) / (k + 1);
    out[i] = float(sum);
  }
  return out;
}

}  // namespace vmr::corpus
