// Rankings as files: what a run returns for every query, and the figures of such a file, whether a
// run wrote it or another tool did. Two formats by ending:
//   .json  [{"direction": "video_to_music", "query": "f1", "relevant": ["m1"],
//            "returned": [{"id": "m3", "score": 0.8}, ...]}, ...], best first
//   .csv   (RFC 4180) direction,query,rank,id,score,relevant; a line for each returned item, ranks
//          from 1, relevant 0 or 1; relevant items that were not returned have no rank and no score
// Scores may be absent. Not thread-safe on one file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/pipeline/runs.h"

namespace vmr::pipeline {

struct RankedQuery {
  std::string direction, query;
  std::vector<std::string> relevant, returned;  // ids; returned: best first
  std::vector<double> scores;                   // of the returned ones, or empty
};

// Both directions by the run's independent embeddings over the full gallery of options.split, as
// evaluate() ranks them with ties by ascending index; of each query the first `top`, 0 = all.
// Read of the options: split, device, distance, theta_weight.
std::vector<RankedQuery> rank_split(const std::filesystem::path& run_folder,
                                    const std::filesystem::path& store_folder,
                                    const EvaluateOptions& options = {}, int64_t top = 0,
                                    const RunControl& control = {});

// Throws: InvalidArgument for another ending; StoreError where it cannot be written.
void write_rankings(const std::vector<RankedQuery>& queries, const std::filesystem::path& path);
// Throws: InvalidArgument naming file, query or line and what is expected there; StoreError where
// it cannot be read.
std::vector<RankedQuery> read_rankings(const std::filesystem::path& path);

// Means over the queries of each direction (eval::ListMetrics):
//   {"video_to_music": {"queries", "at": {"10": {"hit", "recall", "precision", "map", "mrr",
//    "ndcg"}}, "median_rank": null where infinite, "median_rank_of_found", "absent"}}
// median_rank takes an absent item's rank as infinite; median_rank_of_found leaves it out, as
// VTM-Eval does. Throws: InvalidArgument for k < 1, no query, a query without relevant items, and
// an item returned twice.
nlohmann::json rankings_document(const std::vector<RankedQuery>& queries,
                                 const std::vector<int64_t>& ks);
// The document as a table for people.
std::string rankings_table(const nlohmann::json& document);

}  // namespace vmr::pipeline
