// What vmr fit writes beside its ranking: a page, previews, markers for editors.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/pipeline/fit.h"
#include "vmr/pipeline/markers.h"

namespace vmr::apps {

struct FitFiles {
  std::string report, previews, markers;  // "" = none
  std::optional<double> preview_lufs;
  pipeline::MarkerFileOptions marker_file;
  const CLI::Option* rate = nullptr;  // not given: the markers count the film's frames
  // Of the film's picture: what markers are counted from, and how long they go on.
  double first_frame_seconds = 0, picture_seconds = 0;

  // For who would probe the film again; empty where it was not.
  std::optional<double> picture_ends() const {
    return picture_seconds > 0 ? std::optional(first_frame_seconds + picture_seconds)
                               : std::nullopt;
  }
};

// --report, --preview, --preview-loudness, --markers, --fps and --timecode-start.
void add_fit_files(CLI::App& app, const std::shared_ptr<FitFiles>& files);

// Takes the markers' frame rate from the film where none was given. Throws: StoreError,
// InvalidArgument for names that cannot be written, before the work; MediaError.
void check_fit_files(FitFiles& files, const std::filesystem::path& film);

// Each on its own: one that cannot be written is listed.
void write_fit_files(const FitFiles& files, const pipeline::FilmAnalysis& film,
                     const std::filesystem::path& store, const std::vector<pipeline::FitHit>& hits,
                     std::vector<ItemFailure>& failures, const RunControl& watch);

// The previews alone, into the folder files.previews.
void write_fit_previews(const FitFiles& files, const pipeline::FilmAnalysis& film,
                        const std::vector<pipeline::FitHit>& hits,
                        std::vector<ItemFailure>& failures, const RunControl& watch);

}  // namespace vmr::apps
