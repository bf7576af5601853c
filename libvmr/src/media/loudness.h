// Loudness after EBU R 128 and ITU-R BS.1770-4, by libavfilter's ebur128. Internal to media.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "media/sound_filter.h"

namespace vmr::media::detail {

class LoudnessMeter {
 public:
  LoudnessMeter(const char* function, int rate_hz, int channels);

  void add(const at::Tensor& samples);  // [channels, n] float32
  void finish();                        // after the last samples, before the results are asked for

  // Integrated, LUFS. None where no 0.4 s of the sound is louder than -70 LUFS.
  std::optional<double> integrated_lufs() const;
  // Full scale = 1, rounded up to the next 0.001.
  double true_peak() const { return true_peak_; }

 private:
  void collect();

  SoundFilter filter_;
  double integrated_ = -70, true_peak_ = 0;
};

}  // namespace vmr::media::detail
