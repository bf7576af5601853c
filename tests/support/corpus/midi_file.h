// A piece as a Standard MIDI File with its tempo map, and its sound by the program FluidSynth.
#pragma once

#include <filesystem>
#include <optional>

#include "support/corpus/sound.h"

namespace vmr::corpus {

// One tempo event a beat, 9600 ticks a beat. Requires: at most 15 programs beside drums.
void write_midi(const std::filesystem::path& path, const Piece& piece);

// A General MIDI sound font of this machine: VMR_SOUND_FONT, else the usual Debian packages' files.
// Nothing where FluidSynth or a sound font is missing.
std::optional<std::filesystem::path> find_sound_font();

// Notes of slow sounds begin early, so that they reach 30 % of their level at the note's time: how
// early is measured from the sound font. Throws: std::runtime_error where FluidSynth fails.
Samples play_midi(const Piece& piece, const std::filesystem::path& sound_font,
                  const std::filesystem::path& scratch);

}  // namespace vmr::corpus
