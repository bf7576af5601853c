// What vmr match shows: the ranking, and beside it a page and the film with the best track.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/pipeline/matcher.h"

namespace vmr::apps {

struct MatchFiles {
  std::string report, preview;  // "" = none
  std::optional<double> preview_lufs;
};

// --report, --preview and --preview-loudness.
void add_match_files(CLI::App& app, const std::shared_ptr<MatchFiles>& files);

// Throws: InvalidArgument for names that cannot be written, before the work.
void check_match_files(const MatchFiles& files);

// After the ranking is printed, which stays where a file cannot be written. Returns what failed.
std::vector<ItemFailure> write_match_files(const MatchFiles& files,
                                           const pipeline::FilmAnalysis& film,
                                           const std::vector<retrieval::Hit>& hits,
                                           const RunControl& watch);

}  // namespace vmr::apps
