// Tables of the mel front ends: triangular bands as lists of neighbouring bins, and windows. Made
// in double for each call; they cost a few microseconds.
#pragma once

#include <cstdint>
#include <vector>

#include "vmr/audio/log_mel.h"

namespace vmr::audio::detail {

// Band m weighs bins first[m] ... with weights[offset[m]] ... weights[offset[m + 1] - 1].
struct MelBank {
  std::vector<int32_t> first;   // [mels]
  std::vector<int32_t> offset;  // [mels + 1]
  std::vector<double> weights;
};

struct MelBankOptions {
  double rate_hz;
  int64_t fft_samples;
  int64_t mels;
  double low_hz;
  double high_hz;
  MelScale scale;
  bool area_norm;
};

MelBank make_mel_bank(const MelBankOptions& options);

// Centre of each band in Hz.
std::vector<double> mel_centres(const MelBankOptions& options);

// 0.5 - 0.5 cos(2 pi n / samples).
std::vector<double> hann_periodic(int64_t samples);

// (0.5 - 0.5 cos(2 pi n / (samples - 1))) ^ 0.85.
std::vector<double> povey(int64_t samples);

}  // namespace vmr::audio::detail
