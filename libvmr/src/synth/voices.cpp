#include "synth/voices.h"

#include <algorithm>
#include <cmath>

#include "synth/random.h"
#include "synth/wavetable.h"

namespace vmr::synth {
namespace {

constexpr float kRate = kSongRateHz;

double hertz_of(double pitch) { return 440.0 * std::exp2((pitch - 69.0) / 12.0); }

// Per-sample factor that falls to 1/e in `seconds`.
float decay_factor(double seconds) {
  return static_cast<float>(std::exp(-1.0 / (seconds * kRate)));
}

size_t samples_of(double seconds) { return static_cast<size_t>(std::max(seconds, 0.0) * kRate); }

// Coefficient of a one-pole low-pass.
float pole_of(double cutoff_hertz) {
  return static_cast<float>(1.0 - std::exp(-6.283185307 * std::min(cutoff_hertz, 18000.0) / kRate));
}

// Attack, level, release: linear attack, exponential fall towards `sustain`, linear release.
void shape(std::vector<float>& out, double attack_seconds, double fall_seconds, float sustain,
           double held_seconds, float level) {
  const size_t attack = std::max<size_t>(samples_of(attack_seconds), 1);
  const size_t held = std::min(samples_of(held_seconds), out.size());
  const float fall = decay_factor(fall_seconds);
  float extra = 1.0f - sustain;
  for (size_t i = 0; i < out.size(); ++i) {
    float gain = sustain + extra;
    if (i < attack)
      gain *= static_cast<float>(i + 1) / static_cast<float>(attack);
    else
      extra *= fall;
    if (i >= held)
      gain *= static_cast<float>(out.size() - i) / static_cast<float>(out.size() - held);
    out[i] *= level * gain;
  }
}

// Karplus and Strong 1983: a noise burst in a loop with an averaging filter and a fine-tuning
// all-pass (Jaffe and Smith 1983).
void pluck(std::vector<float>& out, double hertz, double brightness, double ring_seconds,
           uint64_t seed) {
  const double period = kRate / hertz;
  const auto length = static_cast<size_t>(period - 0.6);
  const double fraction = period - 0.5 - static_cast<double>(length);
  const auto tune = static_cast<float>((1.0 - fraction) / (1.0 + fraction));
  const auto loss = static_cast<float>(std::pow(0.001, period / (ring_seconds * kRate)));
  std::vector<float> loop(length);
  Noise noise(seed * 0x9E3779B97F4A7C15ull + 77);
  const auto soft = static_cast<float>(0.15 + 0.8 * brightness);
  float low = 0.0f, peak = 1e-6f;
  for (float& value : loop) {
    low += soft * (noise.next() - low);
    value = low;
    peak = std::max(peak, std::abs(value));
  }
  for (float& value : loop) value /= peak;
  size_t at = 0;
  float before = 0.0f, pass_in = 0.0f, pass_out = 0.0f;
  for (float& sample : out) {
    const float now = loop[at];
    const float average = loss * 0.5f * (now + before);
    before = now;
    const float passed = tune * (average - pass_out) + pass_in;
    pass_in = average;
    pass_out = passed;
    loop[at] = passed;
    if (++at == length) at = 0;
    sample = now;
  }
}

// Two or one detuned waves through two one-pole low-passes whose cut-off falls to `floor`.
void filtered_wave(std::vector<float>& out, const Wavetable& wave, double hertz, double cents,
                   double cutoff, double floor_cutoff, double fall_seconds) {
  const float* cycle = wave.cycle(hertz * 1.02);
  const double ratio = std::exp2(cents / 1200.0);
  const uint32_t step_a = phase_step(hertz * ratio, kRate),
                 step_b = phase_step(hertz / ratio, kRate);
  uint32_t a = 0, b = cents > 0 ? 0x55555555u : 0u;
  const float end = pole_of(floor_cutoff), fall = decay_factor(fall_seconds);
  float extra = pole_of(cutoff) - end, first = 0.0f, second = 0.0f;
  for (float& sample : out) {
    const float input = 0.5f * (Wavetable::read(cycle, a) + Wavetable::read(cycle, b));
    const float pole = end + extra;
    first += pole * (input - first);
    second += pole * (first - second);
    sample = second;
    extra *= fall;
    a += step_a;
    b += step_b;
  }
}

// Chowning's frequency modulation: the index falls from `index` with its own decay.
void modulated(std::vector<float>& out, double hertz, double ratio, double index,
               double index_seconds) {
  const float* sine = sine_wave().cycle(1000.0);
  const uint32_t step = phase_step(hertz, kRate), mod_step = phase_step(hertz * ratio, kRate);
  uint32_t phase = 0, mod = 0;
  auto depth = static_cast<float>(index * 683565275.6);  // radians to phase units
  const float fall = decay_factor(index_seconds);
  for (float& sample : out) {
    const auto shift =
        static_cast<int32_t>(std::clamp(depth * Wavetable::read(sine, mod), -2.1e9f, 2.1e9f));
    sample = Wavetable::read(sine, phase + static_cast<uint32_t>(shift));
    phase += step;
    mod += mod_step;
    depth *= fall;
  }
}

// A wave with vibrato that sets in after a quarter of a second.
void sung_wave(std::vector<float>& out, const Wavetable& wave, double hertz, double depth_cents) {
  const float* cycle = wave.cycle(hertz * 1.05);
  const float* sine = sine_wave().cycle(5.0);
  const auto step = static_cast<float>(hertz / kRate * 4294967296.0);
  const auto depth = static_cast<float>(step * (std::exp2(depth_cents / 1200.0) - 1.0));
  const uint32_t slow = phase_step(5.3, kRate);
  const size_t late = samples_of(0.25);
  uint32_t phase = 0, turn = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = Wavetable::read(cycle, phase);
    float now = step;
    if (i >= late) {
      now += depth * Wavetable::read(sine, turn);
      turn += slow;
    }
    phase += static_cast<uint32_t>(now);
  }
}

void low_pass(std::vector<float>& out, double cutoff) {
  const float pole = pole_of(cutoff);
  float low = 0.0f;
  for (float& sample : out) sample = low += pole * (sample - low);
}

double release_seconds(Voice voice) {
  switch (voice) {
    case Voice::plucked:
      return 0.25;
    case Voice::strings:
      return 0.3;
    case Voice::electric_piano:
      return 0.2;
    case Voice::bell:
      return 1.0;
    case Voice::soft_lead:
      return 0.12;
    case Voice::plucked_bass:
      return 0.08;
    default:
      return 0.05;
  }
}

}  // namespace

void render_note(const Note& note, const Tone& tone, uint64_t seed, std::vector<float>& out) {
  const double hertz = hertz_of(note.pitch);
  const double held = note.length_seconds;
  const double open = 0.4 + 1.8 * tone.brightness + 0.4 * note.velocity - 0.3 * tone.warmth;
  const double spread = 2.0 + 14.0 * tone.roughness;  // cents
  const float level = note.velocity;
  out.assign(samples_of(held + release_seconds(note.voice)), 0.0f);
  switch (note.voice) {
    case Voice::plucked:
      pluck(out, hertz, 0.5 * tone.brightness + 0.3 * note.velocity, 2.5, seed);
      return shape(out, 0.0, 9.0, 1.0f, held, 0.9f * level);
    case Voice::plucked_bass:
      pluck(out, hertz, 0.1 + 0.3 * tone.brightness, 2.0, seed);
      return shape(out, 0.0, 9.0, 1.0f, held, 1.2f * level);
    case Voice::strings:
      filtered_wave(out, saw_wave(), hertz, spread, 1500 * open, 900 * open, 0.6);
      return shape(out, 0.07, 1.0, 0.85f, held, 0.8f * level);
    case Voice::saw_bass:
      filtered_wave(out, saw_wave(), hertz, 0.3 * spread, 1800 * open, 250 * open, 0.12);
      return shape(out, 0.002, 0.4, 0.7f, held, 1.3f * level);
    case Voice::sub_bass:
      modulated(out, hertz, 2.0, 0.4 + 0.8 * tone.brightness, 0.15);
      return shape(out, 0.003, 0.5, 0.7f, held, level);
    case Voice::electric_piano:
      modulated(out, hertz, 1.0, 0.5 + 1.6 * tone.brightness * note.velocity + tone.roughness, 0.5);
      return shape(out, 0.002, 0.7, 0.15f, held, 0.8f * level);
    case Voice::bell:
      modulated(out, hertz, 3.5, 0.6 + 2.0 * tone.brightness, 0.35);
      return shape(out, 0.001, 0.45, 0.05f, held, 0.8f * level);
    case Voice::organ:
      sung_wave(out, organ_wave(), 0.5 * hertz, 6.0 + 8.0 * tone.warmth);
      return shape(out, 0.003, 0.06, 0.75f, held, 0.6f * level);
    case Voice::square_lead:
      sung_wave(out, square_wave(), hertz, 18.0);
      low_pass(out, 2500 * open);
      return shape(out, 0.002, 0.12, 0.55f, held, 0.55f * level);
    case Voice::soft_lead:
      sung_wave(out, sine_wave(), hertz, 22.0);
      return shape(out, 0.012, 0.3, 0.8f, held, 0.7f * level);
  }
}

}  // namespace vmr::synth
