// Metre and down-beats of a chain of beats.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "audio/beat_bands.h"

namespace vmr::audio::detail {

struct Bars {
  int64_t beats_per_bar = 0;        // 2 to 7; 0 for fewer than 8 beats
  std::vector<int64_t> down_beats;  // indices of beats, rising
};

// How much a beat sounds like the first of a bar: low and loud accents and changes of harmony, each
// with mean 0 and deviation 1 over the song, weighted. beats: frames. Returns [beats].
std::vector<double> bar_accents(const BeatBands& bands, std::span<const int64_t> beats);

// The metre whose first beats carry most of the accents, and their places: for each metre a cycle
// of states, one a beat, decoded by Viterbi; a bar of another length costs as much as a strong
// accent brings, so that a pause or a missed beat shifts the bars behind it.
// Example: accents 3 -1 -1 3 -1 -1 3 -1 -1 ... give 3 beats a bar, down-beats 0, 3, 6 ...
Bars find_bars(std::span<const double> accents);

}  // namespace vmr::audio::detail
