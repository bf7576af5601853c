// Curves of single files as SVG, for `--plot`. Thread-safe.
#pragma once

#include <filesystem>
#include <vector>

#include "vmr/audio/beat.h"

namespace vmr::pipeline {

// Mean flow magnitude (pixels) over time (seconds). Throws: StoreError where `out` cannot be
// written.
void write_flow_plot(const std::filesystem::path& out, const std::vector<double>& seconds,
                     const std::vector<double>& magnitude_pixels);

// Onset strength over time with the beats marked.
void write_beat_plot(const std::filesystem::path& out, const audio::BeatResult& beats);

}  // namespace vmr::pipeline
