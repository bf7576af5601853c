// What the evaluation of a run is made of: the run and its split, opened; and the protocols that
// rank by tags, each another way from scores to rankings.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vmr/data/pair_dataset.h"
#include "vmr/eval/retrieval_metrics.h"
#include "vmr/pipeline/runs.h"

namespace vmr::pipeline {

// What is asked of a run is checked against this, before any item is loaded.
struct EvaluationSource {
  MatchingRun run;
  std::shared_ptr<model::MatchingModel> model;  // run.model, with the theta_weight asked for
  std::unique_ptr<store::FeatureStore> store;
  store::Manifest manifest;
};
// Throws: InvalidArgument where the store is not one the run can read.
EvaluationSource open_source(const std::filesystem::path& run_folder,
                             const std::filesystem::path& store_folder,
                             const EvaluateOptions& options);

struct Evaluated {
  MatchingRun run;
  std::shared_ptr<model::MatchingModel> model;
  store::Manifest manifest;
  data::PairDataset items;
};
Evaluated load_items(EvaluationSource source, const EvaluateOptions& options,
                     const RunControl& control);

// What every document of an evaluation says of where it comes from: recipe, split, weights, films
// left out, distance, theta_weight.
nlohmann::json about(const Evaluated& evaluated, const EvaluateOptions& options);

// Places of the tracks that have films, ascending: the queries from music to video.
std::vector<int64_t> asking_tracks(const data::PairDataset& items);

struct TaggedFilm {
  std::string id, tag;  // tag: the film's first one, else its track's, else ""
};
// Films of the split that have, as their tracks, the features which the model reads.
std::vector<TaggedFilm> tagged_films(const EvaluationSource& source, const std::string& split);
std::vector<TaggedFilm> tagged_films(const data::PairDataset& items);

// Throws: InvalidArgument where the run lacks what the protocol needs, or a film the tag.
void check_protocol(Protocol protocol, const MatchingRun& run,
                    const std::vector<TaggedFilm>& films);

// What the evaluated model makes of the items, once for all protocols.
struct EmbeddedItems {
  at::Tensor films, tracks;                                   // [items, vectors, dim] float32
  std::optional<at::Tensor> prepared_films, prepared_tracks;  // where it has joint scores
};
EmbeddedItems embed_items(const Evaluated& evaluated);
// Tried on one item.
bool has_joint_scores(const EvaluationSource& source);

class TagRanking {
 public:
  // `protocol` is not full. Throws: as check_protocol.
  TagRanking(Protocol protocol, const Evaluated& evaluated, const EmbeddedItems& embedded,
             const RunControl& control);
  // scores [films, tracks] -> each direction's ranking by tags, then by these scores.
  eval::DirectedScores of(const eval::DirectedScores& scores) const;

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
