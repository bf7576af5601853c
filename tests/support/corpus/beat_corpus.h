// The corpus: pieces composed, played, treated and written with their truth.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "support/corpus/sound.h"

namespace vmr::corpus {

enum class Split {
  dev,     // songs (composer.h), General MIDI through FluidSynth where installed
  random,  // songs whose parts know nothing of each other (random_songs.h), played alike
  check,   // grooves (groove.h), our own band: not to be tuned to
  // Sound without any beat (no_music.h): some of each kind, and each by itself.
  none,
  noise,
  speech,
  silence,
};

struct CorpusOptions {
  Split split = Split::dev;
  uint64_t seed = 1;
  int pieces = 40;
};

// Writes NAME.wav (mono, 16 bit, 44.1 kHz) and NAME.json for each piece, and returns how many. The
// same options give the same files on the same machine; dev differs between machines with and
// without FluidSynth, which the tags tell ("fluidsynth").
int write_corpus(const std::filesystem::path& folder, const CorpusOptions& options);

std::vector<Piece> compose_corpus(const CorpusOptions& options);

}  // namespace vmr::corpus
