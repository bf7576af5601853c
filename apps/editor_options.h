// Options of commands that make previews and marker files.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "vmr/pipeline/markers.h"

namespace vmr::apps {

// --preview-loudness LUFS|off; `target_lufs` gets media::kPreviewLufs where it is not given.
void add_preview_loudness(CLI::App& app, std::optional<double>& target_lufs);

// --markers FILE, --fps RATE and --timecode-start TIMECODE.
void add_marker_options(CLI::App& app, std::string& markers, pipeline::MarkerFileOptions& file);

}  // namespace vmr::apps
