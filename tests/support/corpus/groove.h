// The second composer, made apart from the first so that a tracker fitted to one can be checked on
// the other: no styles and no song form, but layers with rhythms drawn from the weights of the
// metre or spread evenly over the bar (Euclidean rhythms), which enter and leave; modal pitches;
// other tempi, other deviations of the tempo.
#pragma once

#include <cstdint>
#include <vector>

#include "support/corpus/piece.h"

namespace vmr::corpus {

// Tempi are drawn around 112 beats/min within 60-190. Requires: pieces > 0.
std::vector<Piece> compose_grooves(uint64_t seed, int pieces);

}  // namespace vmr::corpus
