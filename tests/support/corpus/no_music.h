// Sound without beats, which a tracker must refuse: noise of several colours, silence, speech.
#pragma once

#include <cstdint>
#include <filesystem>

namespace vmr::corpus {

inline constexpr double kNoMusicSeconds = 60;

// Writes NAME.wav and NAME.json (no beats) of `pieces` sounds, 60 s each, in turn: white, pink and
// brown noise, wind, silence, near-silence, a machine's hum, and three of speech: espeak-ng where
// installed, a babble of formants elsewhere. Returns `pieces`.
int write_no_music(const std::filesystem::path& folder, uint64_t seed, int pieces);

}  // namespace vmr::corpus
