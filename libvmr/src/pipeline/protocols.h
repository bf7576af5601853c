// What the evaluation of a run is made of: the run and its split, opened; and the protocols that
// rank by tags, each another way from scores to rankings.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "vmr/data/pair_dataset.h"
#include "vmr/eval/retrieval_metrics.h"
#include "vmr/pipeline/runs.h"

namespace vmr::pipeline {

struct Evaluated {
  MatchingRun run;
  std::shared_ptr<model::MatchingModel> model;  // run.model, with the theta_weight asked for
  store::Manifest manifest;
  data::PairDataset items;
};
// Throws: InvalidArgument where the store is not one the run can read.
Evaluated open_for_evaluation(const std::filesystem::path& run_folder,
                              const std::filesystem::path& store_folder,
                              const EvaluateOptions& options, const RunControl& control);

// Throws: InvalidArgument where the run lacks what the protocol needs. Cheap: before the items are
// embedded.
void check_protocol(Protocol protocol, const MatchingRun& run, const data::PairDataset& items);

// What the evaluated model makes of the items, once for all protocols.
struct EmbeddedItems {
  at::Tensor films, tracks;                                   // [items, vectors, dim] float32
  std::optional<at::Tensor> prepared_films, prepared_tracks;  // where it has joint scores
};
EmbeddedItems embed_items(const Evaluated& evaluated);
// Of the first item alone: cheap.
bool has_joint_scores(const Evaluated& evaluated);

class TagRanking {
 public:
  // `protocol` is not full. Throws: as check_protocol.
  TagRanking(Protocol protocol, const Evaluated& evaluated, const EmbeddedItems& embedded,
             const RunControl& control);
  // scores [films, tracks] -> each direction's ranking by tags, then by these scores.
  eval::DirectedScores of(const at::Tensor& scores) const;

 private:
  void by_own_tags(const MatchingRun& run);
  void by_vectors(const Evaluated& evaluated, const EmbeddedItems& embedded);
  void by_classifier(const MatchingRun& run, const EmbeddedItems& embedded,
                     const RunControl& control);

  std::vector<int64_t> tags_;                    // candidates: positions in run.tags
  at::Tensor film_carries_, track_carries_;      // [items, candidates] bool
  at::Tensor film_closeness_, track_closeness_;  // [items, candidates] of the items as queries
};

}  // namespace vmr::pipeline
