// Our own band: General MIDI families by a few simple voices, for machines without FluidSynth and
// for the split that must not sound like it.
#pragma once

#include <cstdint>

#include "support/corpus/sound.h"

namespace vmr::corpus {

// Struck and plucked voices are loudest within 5 ms of the note's time. Strings (attack 50-110 ms)
// and winds (30 ms) begin early, so that they have 40 % of their level at that time. `seed` draws
// the colours of the instruments.
Samples play_band(const Piece& piece, uint64_t seed);

}  // namespace vmr::corpus
