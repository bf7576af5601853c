// Training runs from recipes: pre-train clip encoders, write their clip features back to the store,
// train a matching model, evaluate it. A run is a folder: recipe.json, about.json (what it was made
// from), the trainer's files. Runs that were cut resume when started again. Not thread-safe on one
// folder; different folders are independent.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/data/batch.h"
#include "vmr/data/tag_vectors.h"
#include "vmr/eval/retrieval_metrics.h"
#include "vmr/eval/sampled_negatives.h"
#include "vmr/model/matching_model.h"
#include "vmr/pipeline/recipe.h"
#include "vmr/store/feature_store.h"
#include "vmr/train/trainer.h"

namespace vmr::pipeline {

struct RunOptions {
  uint64_t seed = 1;
  std::string device = "auto";
};

struct TrainOptions : RunOptions {
  // A run whose best weights this one begins with; empty: at random. A run that was cut resumes
  // with or without it.
  std::filesystem::path from;
};

// Pre-trains the recipe's encoder of a modality ("audio", "video") on the training split. With
// `from` a classifier of another number of classes begins at random nevertheless.
// Throws: InvalidArgument where the recipe has no such part, the store lacks input or labels, or
// listing the weights of `from` that do not fit; StoreError where `from` is no such run.
train::TrainSummary pretrain(const Recipe& recipe, const std::string& modality,
                             const std::filesystem::path& store_folder,
                             const std::filesystem::path& run_folder,
                             const TrainOptions& options = {}, const RunControl& control = {});

struct EmbedSummary {
  std::string feature;  // what was written
  int64_t items = 0;    // written now
  int64_t already_there = 0;
  std::vector<ItemFailure> failures;
};

// Writes a pre-trained encoder's clip features ("conformer_audio" [clips, dim] float32), or a
// matching model's embeddings ("embedding_<name>" [vectors, dim]), of all items back to the store,
// the weights' hash as provenance. An encoder is copied into <store>/encoders/<feature>, so that
// whatever is built from the store can carry it. Features of other weights are replaced.
EmbedSummary embed(const std::filesystem::path& run_folder,
                   const std::filesystem::path& store_folder, const RunOptions& options = {},
                   const RunControl& control = {});

// Sentence vectors of the manifest's tags by a sentence-transformers folder, as the feature
// "tag_vector"; the folder is copied into the store. Training then reads them instead of vectors by
// formula, and a catalogue carries the encoder, so that any words can be a query.
// Throws: as text::SentenceEncoder::open; InvalidArgument where no item has a tag.
EmbedSummary embed_tags(const std::filesystem::path& encoder_folder,
                        const std::filesystem::path& store_folder, const RunOptions& options = {},
                        const RunControl& control = {});

// Trains the recipe's matching model. Dims of features the recipe leaves open come from the store.
// Throws: InvalidArgument where a dim of the recipe is not the store's; for `from` as above.
train::TrainSummary train_matching(const Recipe& recipe, const std::filesystem::path& store_folder,
                                   const std::filesystem::path& run_folder,
                                   const TrainOptions& options = {},
                                   const RunControl& control = {});

// How a query's ranking is made (eval/tag_shortlist.h says what "by tags" is). The tags are those
// of the split's films; a track has those of its films. All three know the gallery's tags. A run
// that was imported has the tags of the store's sentence vectors.
enum class Protocol {
  full,          // plain: the whole gallery by its scores
  tag_to_tag,    // tags by how close their sentence vectors are to those of the query's own tags:
                 // an oracle, since the tags of a new film are not known
  video_to_tag,  // tags by the cosine of their vector with the query's, in the space of the words
  dam,           // tags by the tag classifier on the pair of the query and the item for which its
                 // best tag is surest
};
std::string name_of(Protocol protocol);  // "tag_to_tag"
inline constexpr Protocol kProtocols[] = {Protocol::full, Protocol::tag_to_tag,
                                          Protocol::video_to_tag, Protocol::dam};

struct EvaluateOptions {
  std::string split = "test";
  int64_t resamples = 1000;
  uint64_t seed = 1;
  std::string device = "auto";
  int64_t joint_limit = 2000;       // galleries up to this are scored jointly as a whole;
  int64_t joint_shortlist = 200;    // in larger ones each query's best so many are
  std::filesystem::path truth;      // folder of a generated library: its ceiling is reported too
  std::vector<Protocol> protocols;  // reported beside the full gallery; without any the recipe's
  eval::Ties ties = eval::Ties::index_ascending;
  Distance distance = Distance::cosine;
  // Weight of theta against rho in every score; the model's own without it. Published: 0.6.
  std::optional<double> theta_weight;
  // gallery_mean, as published, scores the whole gallery whatever its size.
  model::PairScoring joint = model::PairScoring::own;
  std::optional<eval::SampledOptions> sampled;  // small random galleries are reported too
};

// The evaluation document (eval/evaluation_document.h) from the independent embeddings over the
// full gallery of the split; "joint" holds the same from the model's joint scores where it has
// them ("shortlist": how many items a query, 0 = all; "scoring"), "ceiling" the same from the
// hidden truth of a generated library, "chance" is in each. "protocols" holds, for each further
// protocol, the same two documents with "oracle": whether the query's own tags were used.
// "sampled_negatives" is the document of eval/sampled_negatives.h, in it "joint" of joint scores.
// "failures": [{"protocol", "reason"}] where the run or the split's tags do not allow a protocol.
// Options, protocols and truth are checked before the items are loaded.
// Throws: InvalidArgument where an option asks for what the run does not have, or none of the
// protocols can be done.
nlohmann::json evaluate(const std::filesystem::path& run_folder,
                        const std::filesystem::path& store_folder,
                        const EvaluateOptions& options = {}, const RunControl& control = {});

// What a finished matching run consists of, loaded for use.
struct MatchingRun {
  Recipe recipe;
  std::shared_ptr<model::MatchingModel> model;  // in eval()
  std::string weights_hash;
  data::TagVectors tags;
  nlohmann::json about;  // about.json
  std::filesystem::path checkpoint;
};
// Throws: StoreError for a folder that is no finished matching run.
MatchingRun open_matching_run(const std::filesystem::path& run_folder,
                              const std::string& device = "auto");

}  // namespace vmr::pipeline
