// A minute of speech: by espeak-ng in twelve languages where it is installed (with ffmpeg), a
// babble of formants elsewhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>

#include "support/corpus/sound.h"
#include "synth/random.h"

namespace vmr::corpus {

struct Speech {
  Samples samples;             // a minute, at any level
  std::set<std::string> tags;  // "espeak" or "babble", and the language of what espeak-ng reads
};

// Kinds of speaking: at a usual, high and low speed, with voices of other make, in turns, many at
// once, word lists, numbers counted, over noise.
std::span<const char* const> speech_kinds();

// `turn` goes through the languages. Files go into `scratch`.
Speech speech_of(int kind, int turn, synth::Random& random, const std::filesystem::path& scratch);

// English sentences put together at random, 130 to 190 words a minute, one of three voices.
Speech english(int voice, synth::Random& random, const std::filesystem::path& scratch);

// Syllables of 90 to 300 ms without a metre, pauses of a sentence.
Samples babble(synth::Random& random);

}  // namespace vmr::corpus
