// Sound without beats, which a tracker must refuse: noise of many colours, silence, speech.
#pragma once

#include <cstdint>
#include <filesystem>

namespace vmr::corpus {

inline constexpr double kNoMusicSeconds = 60;

enum class NoMusic {
  mixed,   // white, pink and brown noise, wind, silence, near-silence, hum, three of English speech
  noise,   // noise_kinds of noises.h
  speech,  // speech_kinds of speech.h in twelve languages
  silence,  // silence_kinds of noises.h
};

// Writes NAME.wav and NAME.json (no beats) of `pieces` sounds, 60 s each, the kinds of the set in
// turn. Returns `pieces`.
int write_no_music(const std::filesystem::path& folder, NoMusic set, uint64_t seed, int pieces);

}  // namespace vmr::corpus
