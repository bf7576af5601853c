// The first composer: song forms in twenty styles, each with drum patterns, bass, accompaniment and
// melody as its players would play them, fills before new sections, and people's timing (each note
// is a few milliseconds off the beat). The truth follows the tempo, not the players' errors.
#pragma once

#include <cstdint>
#include <vector>

#include "support/corpus/piece.h"

namespace vmr::corpus {

// Tempi are spread evenly over 60-190 beats/min, styles over the tempi that they are played at.
// Piece i depends on seed, i and pieces alone. Requires: pieces > 0.
std::vector<Piece> compose_songs(uint64_t seed, int pieces);

}  // namespace vmr::corpus
