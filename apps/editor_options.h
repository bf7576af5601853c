// Options of commands that make previews and marker files.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "vmr/media/film_writer.h"
#include "vmr/pipeline/markers.h"

namespace vmr::apps {

// --preview-loudness LUFS|off; `target_lufs` gets media::kPreviewLufs where it is not given.
void add_preview_loudness(CLI::App& app, std::optional<double>& target_lufs);

// ", -16.0 LUFS", and where peaks hold it below what was asked for, that they do.
std::string loudness_text(const media::PreviewSummary& preview);

// --markers FILE, --fps RATE and --timecode-start TIMECODE.
void add_marker_options(CLI::App& app, std::string& markers, pipeline::MarkerFileOptions& file);

}  // namespace vmr::apps
