// The instruments: one note or hit as samples at kSongRateHz, loudest about 1.
#pragma once

#include <array>
#include <vector>

#include "synth/score.h"

namespace vmr::synth {

// Colour of all instruments of a song, each in [0, 1]; see Style.
struct Tone {
  float brightness = 0.5f;
  float roughness = 0.5f;
  float warmth = 0.5f;
};

// Replaces `out` by the note's sound, its release included. Sound starts at sample 0; plucked,
// struck and keyed voices reach their level within 5 ms. `seed` colours noise.
void render_note(const Note& note, const Tone& tone, uint64_t seed, std::vector<float>& out);

using DrumKit = std::array<std::vector<float>, kDrums>;
DrumKit make_drum_kit(const Tone& tone, uint64_t seed);

}  // namespace vmr::synth
