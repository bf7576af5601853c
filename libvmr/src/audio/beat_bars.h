// Metre and down-beats of a chain of beats.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "audio/beat_bands.h"
#include "audio/beat_evidence.h"

namespace vmr::audio::detail {

constexpr int64_t kShortestBar = 2, kLongestBar = 7;  // beats
constexpr int kBarCues = 10;

// In the order of bar_cues.
std::span<const Cue, kBarCues> bar_cue_table();

// What tells the first beat of a bar from the others: [beats], each cue with mean 0 and deviation 1
// over the song, 0 where it is not known. beats: frames, rising; at least two.
std::vector<std::array<double, kBarCues>> bar_cues(const BeatBands& bands,
                                                   std::span<const int64_t> beats);

// How much a beat sounds like the first of a bar: the cues, weighed. Returns [beats].
std::vector<double> bar_accents(const BeatBands& bands, std::span<const int64_t> beats);

// What an accent brings to a bar of this length, on its first beat and on any other: their sum over
// a bar is 0, that of their squares its length, so that random accents favour no metre.
// Example: 2 beats 1 and -1; 5 beats 2 and -1/2.
struct BarTemplate {
  double first, other;
};
BarTemplate bar_template(int64_t beats_per_bar);

struct Bars {
  int64_t beats_per_bar = 0;        // 2 to 7; 0 for fewer than 8 beats
  std::vector<int64_t> down_beats;  // indices of beats, rising
};

// The metre whose template fits the accents best, and where its bars begin: the mean product of
// accents and template is a logarithm of odds, to which each metre's own is added. For each metre a
// cycle of states, one a beat, decoded by Viterbi; a bar of another length has a price, so that a
// missed beat shifts the bars behind it: a small one where a beat's distance from the last is not
// that of its neighbours, as at a missed beat, a pause or a step of the tempo. beats: frames of the
// accents, rising.
// Example: accents 3 -1 -1 3 -1 -1 3 -1 -1 ... give 3 beats a bar, down-beats 0, 3, 6 ...
Bars find_bars(std::span<const double> accents, std::span<const int64_t> beats);

}  // namespace vmr::audio::detail
