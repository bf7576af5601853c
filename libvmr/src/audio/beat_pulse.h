// Whether there are beats at all, second by second: how well any tempo explains the onsets, and how
// closely these keep to the beats that were found.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "audio/beat_bands.h"

namespace vmr::audio::detail {

// Of a window of the tempogram.
struct PulseCues {
  double salience;  // the largest of any tempo, averaged over seven windows
  // Onsets on the beats' grid within eight seconds of the window, 0 to 1: the largest for n = 2, 3,
  // 4 of |sum of w e^(2 pi i n x)| / sum of w, x being the place between two beats and w the onset.
  // 1 where all lie on the beats and the halves, thirds or quarters between them, about 0 where
  // they lie anywhere. Each beat stands on the mean of itself and up to three on either side, so
  // that a chain which runs after single onsets gains nothing.
  double grid;
};

// saliences: of beat_tempo.h; beats: at least four frames of the curves, rising.
std::vector<PulseCues> pulse_cues(const std::vector<float>& saliences, const BeatBands& bands,
                                  std::span<const int64_t> beats);

// The probability that there is a pulse, of each window.
double pulse_strength(const PulseCues& cues);

}  // namespace vmr::audio::detail
