// The page a person looks at and listens to after a fit. Thread-safe.
#pragma once

#include <filesystem>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/pipeline/fit.h"
#include "vmr/pipeline/report.h"

namespace vmr::pipeline {

// Writes one HTML page: the film with a strip of its frames, flow and cuts; each hit with its
// parts, and over the film's time the motion, the cuts, the track's beats from the chosen offset
// on, its energy and section changes. A button plays film and track together. The sound of the
// first options.players hits lies in the page, the film is named by its path from the page's
// folder. Tracks whose file is missing are shown without sound, with the reason.
// Throws: StoreError where `out` cannot be written, MediaError where the film cannot be read.
void write_fit_report(const std::filesystem::path& out, const FilmAnalysis& film,
                      const std::filesystem::path& store_folder, const std::vector<FitHit>& hits,
                      const ReportOptions& options = {}, const RunControl& control = {});

}  // namespace vmr::pipeline
