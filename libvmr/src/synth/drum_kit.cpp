// Six drums from sines and filtered noise. Each begins at sample 0 with its loudest moment near.
#include <cmath>

#include "synth/random.h"
#include "synth/voices.h"

namespace vmr::synth {
namespace {

constexpr double kRate = kSongRateHz;
constexpr double kTwoPi = 6.283185307179586;

std::vector<float> silence(double seconds) {
  return std::vector<float>(static_cast<size_t>(seconds * kRate), 0.0f);
}

// Adds noise above `cutoff_hertz` that falls to 1/e in `seconds`, from sample `from`.
void add_noise(std::vector<float>& out, uint64_t seed, double cutoff_hertz, double seconds,
               double level, size_t from = 0) {
  Noise noise(seed);
  const auto pole = static_cast<float>(1.0 - std::exp(-kTwoPi * cutoff_hertz / kRate));
  const auto fall = static_cast<float>(std::exp(-1.0 / (seconds * kRate)));
  auto gain = static_cast<float>(level);
  float low = 0.0f, lower = 0.0f;
  for (size_t i = from; i < out.size(); ++i) {
    const float input = noise.next();
    low += pole * (input - low);
    const float high = input - low;
    lower += pole * (high - lower);
    out[i] += gain * (high - lower);
    gain *= fall;
  }
}

// Adds a sine gliding from one pitch to another.
void add_tone(std::vector<float>& out, double from_hertz, double to_hertz, double glide_seconds,
              double seconds, double level) {
  double phase = 0.0;
  for (size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(i) / kRate;
    const double hertz = to_hertz + (from_hertz - to_hertz) * std::exp(-t / glide_seconds);
    phase += kTwoPi * hertz / kRate;
    out[i] += static_cast<float>(level * std::exp(-t / seconds) * std::sin(phase));
  }
}

void fade_out(std::vector<float>& out) {
  const size_t tail = out.size() / 5;
  for (size_t i = 0; i < tail; ++i) {
    out[out.size() - 1 - i] *= static_cast<float>(i) / static_cast<float>(tail);
  }
}

}  // namespace

DrumKit make_drum_kit(const Tone& tone, uint64_t seed) {
  Random random(seed, "drum kit");
  const auto noise = [&] { return random.next(); };
  const double tight = 1.2 - 0.5 * tone.roughness;
  DrumKit kit;
  auto& kick = kit[static_cast<size_t>(Drum::kick)] = silence(0.4);
  add_tone(kick, 180 + 60 * tone.roughness, 46 + random.uniform(0, 12), 0.03, 0.13 * tight, 1.0);
  add_noise(kick, noise(), 1500, 0.004, 0.5);
  auto& snare = kit[static_cast<size_t>(Drum::snare)] = silence(0.3);
  add_tone(snare, 240, 175 + random.uniform(0, 30), 0.02, 0.06, 0.5);
  add_noise(snare, noise(), 1200 + 1200 * tone.brightness, 0.07 * tight, 0.8);
  auto& hat = kit[static_cast<size_t>(Drum::hat)] = silence(0.1);
  add_noise(hat, noise(), 7000, 0.018 + 0.012 * random.uniform(), 0.7);
  auto& open_hat = kit[static_cast<size_t>(Drum::open_hat)] = silence(0.5);
  add_noise(open_hat, noise(), 6500, 0.14, 0.6);
  auto& ride = kit[static_cast<size_t>(Drum::ride)] = silence(0.8);
  for (const double hertz : {3120.0, 4275.0, 5410.0, 6830.0}) {
    add_tone(ride, hertz, hertz, 1.0, 0.25, 0.08);
  }
  add_noise(ride, noise(), 6000, 0.05, 0.4);
  auto& clap = kit[static_cast<size_t>(Drum::clap)] = silence(0.3);
  for (const double late : {0.0, 0.009, 0.019}) {
    add_noise(clap, noise(), 1100, late < 0.015 ? 0.006 : 0.06, 0.7,
              static_cast<size_t>(late * kRate));
  }
  for (auto& drum : kit) fade_out(drum);
  return kit;
}

}  // namespace vmr::synth
