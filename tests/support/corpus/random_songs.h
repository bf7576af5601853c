// The composer of songs to fit and to test on beside those of composer.h: drums, bass, chords and
// tune are drawn independently of each other, so that no part tells what the others do, as the
// parts of one style would. In metres of 2 to 7 beats, straight and swung, steady, ramping,
// stepping and breathing.
#pragma once

#include <cstdint>
#include <vector>

#include "support/corpus/piece.h"

namespace vmr::corpus {

// Piece i depends on seed and i alone. Tempi lie evenly (in octaves) within 60-190 beats/min.
std::vector<Piece> compose_random_songs(uint64_t seed, int pieces);

}  // namespace vmr::corpus
