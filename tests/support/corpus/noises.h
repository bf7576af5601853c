// A minute of sound without a beat that no voice makes: noise of many colours, and near silence.
#pragma once

#include <span>

#include "support/corpus/sound.h"
#include "synth/random.h"

namespace vmr::corpus {

struct NoiseKind {
  const char* name;
  Samples (*make)(synth::Random& random);
};

// Steady and moving colours, rain, surf, crackle, applause, a drone. Any level: to be scaled.
std::span<const NoiseKind> noise_kinds();

// Zeros, dither, hiss, hum, a room, clicks at random times; at the level that each is meant to
// have. No clock: its ticks are a beat.
std::span<const NoiseKind> silence_kinds();

Samples minute();  // of zeros
Samples low_passed_noise(double hertz, synth::Random& random);
Samples wind(synth::Random& random);
Samples hum(synth::Random& random);  // of the mains, with seven harmonics and a little noise

}  // namespace vmr::corpus
