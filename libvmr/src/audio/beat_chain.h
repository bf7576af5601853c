// Beats on an onset curve whose tempo may drift: tempo and phase found together.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vmr::audio::detail {

struct BeatChain {
  std::vector<int64_t> beats;  // frames, rising
  double score = 0;            // of the whole chain
};

// The chain of beats b_1, b_2 ... with intervals p_i = b_(i+1) - b_i that maximises
//   sum of onset[b_i] - 40 ln(p_i / period(b_i))^2 - min(150 ln(p_i / p_(i-1))^2, 12)
// over all chains whose intervals lie within a fifth of `period`, the frames per beat expected at
// each frame. A chain may begin anywhere and ends in the last beat of the curve. This is the
// bar-pointer model of Whiteley, Cemgil and Godsill 2006 with the tempo changing at beats only
// (Krebs, Boeck and Widmer 2015), decoded by Viterbi, written as a semi-Markov chain: a state is a
// beat and the interval that led to it, so the time between beats costs nothing.
// Sizes: onset and period [frames]; memory: a byte for each frame and possible interval.
BeatChain chain_beats_near(std::span<const float> onset, std::span<const float> period);

}  // namespace vmr::audio::detail
