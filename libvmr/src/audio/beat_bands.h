// What the tracker hears of a song: onset curves of three bands, of the whole spectrum and of the
// loudness, and sums that give the mean spectrum of any stretch of time. Frames of about 10 ms.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace vmr::audio::detail {

enum Band { kLow, kMid, kHigh, kAll, kLoud, kBands };

struct BeatBands {
  double frames_per_second = 100;
  int64_t frames = 0;
  // Onset curves [frames]: 0 where nothing begins; the root mean square of a curve before its local
  // mean was taken off is about 1 over any four seconds with music.
  std::array<std::vector<float>, kBands> curves;
  // The largest value of each curve within two frames.
  std::array<std::vector<float>, kBands> tops;
  std::array<double, kBands> means{};  // of `tops`, plus 0.05
  std::vector<float> level;            // [frames] decibels of the loudest mel band
  // Running sums of the spectrum below 2.5 kHz, pairs of mel bands in decibels over the floor:
  // row i holds the frames before 2 i.
  int64_t sum_bands = 0;
  std::vector<double> sums;
};

struct BandRows {
  std::span<const float> decibels;  // [frames, mels], row by row
  std::span<const double> mel_hz;   // [mels] centres
  double frames_per_second;
};

BeatBands beat_bands(const BandRows& rows);

// How much the mean spectrum changes at frame `middle`, in decibels per band: the stretch from
// `begin` against the one up to `end`, without the transients at their starts.
double spectral_change(const BeatBands& bands, double begin, double middle, double end);

}  // namespace vmr::audio::detail
