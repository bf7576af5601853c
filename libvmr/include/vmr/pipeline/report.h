// What a person looks at after a match: one self-contained HTML page, and small plots. Plain
// functions; thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/pipeline/matcher.h"
#include "vmr/retrieval/hit.h"

namespace vmr::pipeline {

struct ReportOptions {
  int64_t key_frames = 12;     // of the film strip
  int64_t players = 5;         // hits whose sound is put into the page
  double player_seconds = 30;  // of each, from the hit's offset
};

// Writes one HTML page that needs no other file: the film's frames, flow curve and cuts; each hit
// with its score parts, waveform, beats and a player. Tracks whose file is missing are shown
// without sound, with the reason. Throws: StoreError where `out` cannot be written, MediaError
// where the film cannot be read.
void write_match_report(const std::filesystem::path& out, const FilmAnalysis& film,
                        const std::vector<retrieval::Hit>& hits, const ReportOptions& options = {},
                        const RunControl& control = {});

}  // namespace vmr::pipeline
