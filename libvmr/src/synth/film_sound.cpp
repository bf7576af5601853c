// A film's own sound: a place, not music. Which place says nothing about the film's track.
#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>

#include "synth/random.h"
#include "vmr/synth/film.h"

namespace vmr::synth {
namespace {

constexpr double kRate = kFilmRateHz;
constexpr double kTwoPi = 6.283185307179586;
constexpr double kLevel = 0.015;  // root mean square

float pole_of(double cutoff_hertz) {
  return static_cast<float>(1.0 - std::exp(-kTwoPi * cutoff_hertz / kRate));
}

void add_bed(float* out, int64_t samples, double cutoff_hertz, float level, Random& random) {
  Noise noise(random.next());
  const float pole = pole_of(cutoff_hertz);
  float low = 0.0f;
  for (int64_t i = 0; i < samples; ++i) out[i] += level * (low += pole * (noise.next() - low));
}

// Noise whose strength and colour drift: a step of the drift every 32 samples.
void add_wind(float* out, int64_t samples, Random& random) {
  Noise noise(random.next());
  const double slow = kTwoPi * random.uniform(0.08, 0.2), quick = kTwoPi * random.uniform(0.3, 0.6);
  const double phase = random.uniform(0.0, kTwoPi);
  float low = 0.0f, pole = 0.0f, gain = 0.0f;
  for (int64_t i = 0; i < samples; ++i) {
    if (i % 32 == 0) {
      const double t = static_cast<double>(i) / kRate;
      const double gust = 0.5 + 0.3 * std::sin(slow * t + phase) + 0.2 * std::sin(quick * t);
      pole = pole_of(150 + 500 * gust);
      gain = static_cast<float>(1.5 * gust);
    }
    low += pole * (noise.next() - low);
    out[i] += gain * low;
  }
}

void add_steps(float* out, int64_t samples, Random& random) {
  const double pace = random.uniform(0.48, 0.62);  // seconds a step
  for (double at = random.uniform(0.1, 0.6); at * kRate < static_cast<double>(samples);
       at += pace * random.uniform(0.88, 1.12)) {
    Noise noise(random.next());
    const auto start = static_cast<int64_t>(at * kRate);
    float low = 0.0f, gain = static_cast<float>(random.uniform(0.6, 1.0));
    const float pole = pole_of(random.uniform(250, 500));
    for (int64_t i = start; i < std::min<int64_t>(start + 2500, samples); ++i) {
      out[i] += gain * (low += pole * (noise.next() - low));
      gain *= 0.9982f;
    }
  }
}

void add_hum(float* out, int64_t samples, Random& random) {
  const double turn = kTwoPi * (random.chance(0.5) ? 50.0 : 60.0) / kRate;
  for (const int harmonic : {1, 2, 3, 5}) {
    // A rotating vector: in double its length stays 1 for hours.
    double c = 1.0, s = 0.0;
    const double rc = std::cos(turn * harmonic), rs = std::sin(turn * harmonic);
    const auto level = static_cast<float>(0.5 / harmonic);
    for (int64_t i = 0; i < samples; ++i) {
      const double next = c * rc - s * rs;
      s = c * rs + s * rc;
      c = next;
      out[i] += level * static_cast<float>(s);
    }
  }
}

}  // namespace

at::Tensor film_sound(const FilmScript& script) {
  Random random(script.options.seed, "sound");
  const auto samples = static_cast<int64_t>(std::llround(script.options.seconds * kRate));
  at::Tensor sound = at::zeros({1, samples});
  float* out = sound.data_ptr<float>();
  add_bed(out, samples, random.uniform(400, 3000), 0.3f, random);
  switch (random.below(4)) {
    case 0:
      add_bed(out, samples, 120, 1.5f, random);
      break;
    case 1:
      add_wind(out, samples, random);
      break;
    case 2:
      add_steps(out, samples, random);
      break;
    default:
      add_hum(out, samples, random);
      break;
  }
  double sum = 0.0;
  for (int64_t i = 0; i < samples; ++i) sum += static_cast<double>(out[i]) * out[i];
  const auto gain = static_cast<float>(
      kLevel / std::max(1e-9, std::sqrt(sum / static_cast<double>(std::max<int64_t>(samples, 1)))));
  for (int64_t i = 0; i < samples; ++i) out[i] = std::clamp(gain * out[i], -0.9f, 0.9f);
  return sound;
}

}  // namespace vmr::synth
