// What products embed: a catalogue made from a trained run, and a Matcher that takes a film never
// seen before and answers with ranked tracks. A catalogue is self-contained: extraction recipe,
// clip encoders and matching model are copied into it with their hashes, so it can be moved to
// another machine and asked there. A Matcher is not thread-safe; several on one catalogue are
// independent.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/retrieval/catalogue.h"
#include "vmr/retrieval/hit.h"

namespace vmr::pipeline {

struct IndexSummary {
  int64_t tracks = 0;  // added now
  std::vector<ItemFailure> failures;
  retrieval::CatalogueStats stats;  // afterwards
};

struct BuildIndexOptions {
  std::string split;  // tracks of this split only; "" = all
  std::string device = "auto";
};

// Makes a catalogue of the store's tracks embedded by a matching run.
// Throws: StoreError where `index_folder` already holds one; InvalidArgument where the store's
// features were not made by the encoders the run was trained on.
IndexSummary build_index(const std::filesystem::path& run_folder,
                         const std::filesystem::path& store_folder,
                         const std::filesystem::path& index_folder,
                         const BuildIndexOptions& options = {}, const RunControl& control = {});

// A film as the report shows it, and as the model sees it.
struct FilmAnalysis {
  std::filesystem::path path;
  double duration_seconds = 0;
  NamedTracks tracks;                 // features of the catalogue's recipe, and "flow" and "cuts"
  at::Tensor embedding;               // [1, vectors, dim] float32
  std::vector<std::string> problems;  // what is wrong with the file, one sentence each
};

// The sound file of a hit, "" where its metadata name none.
std::filesystem::path track_path(const retrieval::Hit& hit);

struct MatchOptions {
  int64_t top = 10;
  std::string filter;  // retrieval/filter.h; "" = everything
  // Words as an additional query, "" = none: a tag of the training set, or anything where the
  // catalogue carries a sentence encoder.
  std::string text;
  double text_weight = 0.5;  // of the words' score against the film's, 0..1
  int threads = 0;           // of the search; 0 = one per core; changes speed only
};

class Matcher {
 public:
  // Throws: StoreError for a folder that is no catalogue or is damaged.
  static std::unique_ptr<Matcher> open(const std::filesystem::path& index_folder,
                                       const std::string& device = "auto");
  virtual ~Matcher() = default;

  // Decodes the film once and embeds it. Throws: MediaError, also for films shorter than half a
  // clip.
  virtual FilmAnalysis analyse(const std::filesystem::path& film, std::stop_token stop = {}) = 0;
  // Best first; each hit's parts add up to its score. Throws: InvalidArgument for a filter that
  // cannot be parsed (position and expectation) or words that cannot be embedded.
  virtual std::vector<retrieval::Hit> match(const FilmAnalysis& film,
                                            const MatchOptions& options = {}) = 0;

  // By options.text alone. Throws: as match.
  virtual std::vector<retrieval::Hit> match_text(const MatchOptions& options) = 0;

  // Analyses audio files or a manifest's tracks and adds them to the catalogue. `aubio`: where its
  // recipe tracks beats by aubio. Throws: InvalidArgument for an id that comes twice .
  virtual IndexSummary add(const std::vector<store::ManifestItem>& tracks, int threads = 0,
                           const RunControl& control = {},
                           const audio::ExternalBeatTracker& aubio = {}) = 0;
  virtual retrieval::Catalogue& catalogue() = 0;
  virtual const ExtractRecipe& recipe() const = 0;
};

}  // namespace vmr::pipeline
