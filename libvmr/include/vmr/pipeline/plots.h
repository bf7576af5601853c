// Curves of single files as SVG, for `--plot`. Thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "vmr/audio/beat.h"

namespace vmr::pipeline {

// One value over time: title "Optical flow", unit "pixels". Throws: StoreError where `out` cannot
// be written.
void write_curve_plot(const std::filesystem::path& out, const std::string& title,
                      const std::string& unit, const std::vector<double>& seconds,
                      const std::vector<double>& values);

// Moments (cuts) as marks on the time axis, with bars as high as the seconds to the next.
void write_moments_plot(const std::filesystem::path& out, const std::string& title,
                        const std::vector<double>& seconds);

// Onset strength over time with the beats marked.
void write_beat_plot(const std::filesystem::path& out, const audio::BeatResult& beats);

}  // namespace vmr::pipeline
