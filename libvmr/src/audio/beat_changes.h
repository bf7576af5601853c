// How the spectrum changes at the beats of a chain: chords and basses change at beats, and most of
// all at bars.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "audio/beat_bands.h"

namespace vmr::audio::detail {

// Of each beat with enough beats on both sides: the mean spectrum of some beats before it against
// that of as many behind, decibels per band, mean over the bands.
struct BeatChanges {
  std::vector<double> all;
  std::vector<double> shape;  // without what is common to all bands, which is loudness
  std::vector<double> bass;   // of the bands below about 400 Hz
};

// reach: beats before and behind, fewer where the chain is short; at least 1. part: of an interval
// by which the places looked at lie behind the beats, 0 or 0.5.
BeatChanges beat_changes(const BeatBands& bands, std::span<const int64_t> beats, int64_t reach,
                         double part);

// How loud the bands below about 400 Hz are from each beat to the next, decibels over the floor,
// mean over the bands. [beats]; behind the last beat as long as before it. Requires: two beats.
std::vector<double> bass_levels(const BeatBands& bands, std::span<const int64_t> beats);

}  // namespace vmr::audio::detail
