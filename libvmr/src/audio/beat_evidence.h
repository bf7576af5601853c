// What speaks for and against a chain of beats being the beats of the music, above all its octave
// and its phase: accents on and between its beats, their alternation, changes of harmony.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "audio/beat_bands.h"
#include "audio/beat_chain.h"

namespace vmr::audio::detail {

std::vector<float> beat_evidence(const BeatBands& bands, const BeatChain& chain);

// Logarithmic odds of the chain, up to a constant of the song.
double log_odds(std::span<const float> evidence);

extern const char* const kEvidenceNames;

}  // namespace vmr::audio::detail
