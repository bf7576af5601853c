// What joint scores cost and bring: each way a film can be scored with a gallery of tracks, and a
// track with one of films, timed query by query on the same data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/pipeline/runs.h"

namespace vmr::pipeline {

struct VariantsOptions {
  EvaluateOptions evaluate;  // split, seed, resamples, device, ties, distance, theta_weight
  // Lengths of the shortlists; one that is as long as the gallery or longer is all of it, which is
  // logged. Without any 10, 25, 50, 100 and 200 as far as they are below the number of tracks.
  std::vector<int64_t> shortlists;
};

// Variants, in this order: "independent", embeddings alone; "pairwise_mean", joint scores of all
// tracks with the film averaged over the gallery, as UT-CMVMR is published; "pairwise", joint
// scores of each pair's own vectors; "shortlist" of each length, the best by embeddings ranked by
// pairwise scores, the others behind. A model without joint scores has the first alone.
//   {"recipe", "split", "weights_hash", "left_out", "distance", "theta_weight", "threads",
//   "device",
//    "variants": [{"name", "shortlist": 0 but for shortlists,
//                  "video_to_music": as in the evaluation document, and beside its figures
//                      "prepare_ms": once for the gallery, from stored features to what is kept,
//                      "query_ms": {"median", "p95"}: from stored features to a ranking,
//                  "music_to_video": the same}]}
// Of pairwise_mean from music to video both times are null: its film depends on all tracks, so that
// one track cannot ask it; the figures are those of the same scores read the other way.
// Variants take turns on each query, so that a busy machine slows all alike; the gallery's side is
// computed once and kept. Times are wall clock. Stopped: the variants are empty.
nlohmann::json compare_variants(const std::filesystem::path& run_folder,
                                const std::filesystem::path& store_folder,
                                const VariantsOptions& options = {},
                                const RunControl& control = {});

// The document as two tables for people, a line for each variant, recall in per cent.
std::string variants_table(const nlohmann::json& document);

}  // namespace vmr::pipeline
