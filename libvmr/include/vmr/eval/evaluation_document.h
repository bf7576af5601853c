// The evaluation document: both directions of retrieval between films and tracks over the full
// gallery, with chance levels and 95 % intervals by bootstrap over tracks.
//   {"video_to_music": {"queries": Q, "gallery": N,
//                       "recall": {"1": {"value", "low", "high", "chance"}, ...},
//                       "median_rank", "mrr", "mean_rank", "mean_log_rank", "nan_scores",
//                       "ties": {"rule", "queries", "share", "warning"}},
//    "music_to_video": {...}}
// Recall is the hit form. Intervals of a single track are null. "warning" is there only where more
// than 1 % of the queries are tied. Thread-safe: plain functions.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "vmr/eval/retrieval_metrics.h"

namespace vmr::eval {

struct EvaluationOptions {
  std::vector<int64_t> ks = {1, 5, 10, 25};
  int64_t resamples = 1000;
  uint64_t seed = 0;
  Ties ties = Ties::index_ascending;
};

// scores [films, tracks] float32 or float64, CPU. film_tracks[i] is the column of film i's track.
// video_to_music: every film is a query. music_to_video: every track that has films is a query and
// all its films are relevant; tracks without films only fill the other gallery.
// Throws: InvalidArgument for wrong shapes, columns out of range, k < 1.
nlohmann::json evaluation_document(const at::Tensor& scores, std::span<const int64_t> film_tracks,
                                   const EvaluationOptions& options = {});
nlohmann::json evaluation_document(const DirectedScores& scores,
                                   std::span<const int64_t> film_tracks,
                                   const EvaluationOptions& options = {});

// The document as a table for people, one line per direction and k, intervals and chance in per
// cent. Throws: InvalidArgument where it is no evaluation document.
std::string evaluation_table(const nlohmann::json& document);

}  // namespace vmr::eval
