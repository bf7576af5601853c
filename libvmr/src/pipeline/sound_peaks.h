// The outline of a sound, for drawing it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace vmr::pipeline::detail {

// Lowest and highest sample of each column, over all channels, full scale = 1. Both are NaN where
// the file has no sound.
struct SoundPeaks {
  std::vector<float> low, high;
};

// Column i covers [begin + i step, begin + (i + 1) step) seconds of the file; `begin_seconds` may
// lie before its beginning. Needs the memory of a minute, however long the sound is.
// Requires: step_seconds > 0. Throws: MediaError where there is no sound to decode.
SoundPeaks sound_peaks(const std::filesystem::path& path, double begin_seconds, double step_seconds,
                       int64_t columns);

}  // namespace vmr::pipeline::detail
