// What speaks for and against a chain of beats being the beats of the music, above all its octave
// and its phase: accents on and between its beats, their alternation, changes of harmony.
#pragma once

#include <array>
#include <span>

#include "audio/beat_bands.h"
#include "audio/beat_chain.h"

namespace vmr::audio::detail {

constexpr int kCues = 25;

struct Cue {
  const char* name;
  double weight;  // logarithmic odds for each unit of the cue
};

// In the order of beat_evidence.
std::span<const Cue, kCues> cue_table();

// The cues of a chain of at least four beats, without unit. Strengths are natural logarithms of a
// curve's mean on the beats over its mean at all times; a contrast of a and b is (a - b) / (a + b +
// 0.2), of changes in decibels (a - b) / (a + b + 1): near 1 where only a is, -1 where only b is.
// best_score: of all chains of the song.
std::array<float, kCues> beat_evidence(const BeatBands& bands, const BeatChain& chain,
                                       double best_score);

// Logarithmic odds of a chain with these cues, up to a constant of the song.
double log_odds(std::span<const float, kCues> evidence);

}  // namespace vmr::audio::detail
