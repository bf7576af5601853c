// What the beats of a song could be: chains of beats at several tempi, octaves and phases, and how
// probable each is.
#pragma once

#include <array>
#include <vector>

#include "audio/beat_bands.h"
#include "audio/beat_chain.h"
#include "audio/beat_evidence.h"
#include "audio/beat_tempo.h"

namespace vmr::audio::detail {

struct BeatHypothesis {
  BeatChain chain;
  std::array<float, kCues> evidence{};
  double bpm = 0;          // of the median interval
  double probability = 0;  // of all hypotheses together: 1
};

// What beats are looked for on, [frames].
std::vector<float> beat_curve(const BeatBands& bands);

// saliences: of beat_tempo.h. Most probable first; none where nothing has a rhythm. From paths
// through the tempogram and their double, half, third ... tempi come expected periods; along each
// the best chain, and the best of what is left between its beats. Their evidence is weighed as
// logarithmic odds.
std::vector<BeatHypothesis> beat_hypotheses(const BeatBands& bands,
                                            const std::vector<float>& saliences);

}  // namespace vmr::audio::detail
