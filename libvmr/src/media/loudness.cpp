#include "media/loudness.h"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace vmr::media::detail {
namespace {

constexpr double kGateLufs = -70;  // the absolute gate, and what the filter says of silence
constexpr double kPeakStep = 0.001;

}  // namespace

LoudnessMeter::LoudnessMeter(const char* function, int rate_hz, int channels)
    : filter_(function, "ebur128=peak=true:metadata=1", rate_hz, channels) {}

void LoudnessMeter::add(const at::Tensor& samples) {
  filter_.push(samples);
  collect();
}

void LoudnessMeter::finish() {
  filter_.end();
  collect();
}

std::optional<double> LoudnessMeter::integrated_lufs() const {
  if (integrated_ <= kGateLufs) return std::nullopt;
  return integrated_;
}

// The filter leaves what it knows so far in each frame that passes.
void LoudnessMeter::collect() {
  while (const FrameHandle frame = filter_.pull()) {
    const AVDictionaryEntry* entry = nullptr;
    while ((entry = av_dict_get(frame->metadata, "lavfi.r128.", entry, AV_DICT_IGNORE_SUFFIX))) {
      const std::string key = entry->key;
      // By the locale that wrote it.
      const double value = std::strtod(entry->value, nullptr);
      if (key == "lavfi.r128.I") integrated_ = value;
      if (key.starts_with("lavfi.r128.true_peaks_ch")) {
        true_peak_ = std::max(true_peak_, value + kPeakStep / 2);
      }
    }
  }
}

}  // namespace vmr::media::detail
