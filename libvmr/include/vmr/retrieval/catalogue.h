// Catalogue: a folder with everything needed to search a music (or film) library: vectors of one
// embedding space, metadata, and attached files such as the recipe and the weights that embed a new
// query. Every change makes a new generation; a reader keeps the one it started with, so searches
// see one consistent state while tracks are added and removed. Files are never changed after they
// were written: a crash leaves the old generation or the new one. Layout:
// docs/catalogue_format.md. Thread-safe; writers of several processes wait for each other.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vmr/retrieval/filter.h"

namespace vmr::retrieval {

// Vectors of different spaces must never be compared.
struct Space {
  std::string id;       // hash of the model and of what made its inputs
  int64_t dim = 0;      // of one vector
  int64_t vectors = 1;  // per track
  bool operator==(const Space&) const = default;
};

struct CatalogueTracks {
  std::string space;             // id of the space the vectors lie in
  at::Tensor vectors;            // [tracks, vectors, dim] (or [tracks, dim]) float32, CPU, finite
  std::vector<std::string> ids;  // one per track, UTF-8, not empty, each once
  std::vector<nlohmann::json> metadata;  // one object per track, or empty: title, bpm, tags, ...
};

struct CatalogueRow {
  int64_t index = 0;  // row in this generation; order = order of adding
  std::string id;
  nlohmann::json metadata;  // as added, with "id"
};

struct CatalogueHit {
  int64_t index = 0;
  std::string id;
  float score = 0;
  bool operator==(const CatalogueHit&) const = default;
};

struct SearchOptions {
  int64_t top = 10;
  Filter filter;      // costs no results: the best `top` of what matches
  std::string space;  // where given, must be the catalogue's: a query of another model is refused
  int threads = 0;    // 0: one per core; changes speed only
};

struct CatalogueStats {
  Space space;
  int64_t generation = 0;
  int64_t tracks = 0;
  int64_t removed_rows = 0;  // still in the files; dropped when their file is next rewritten
  int64_t segments = 0;
  int64_t file_bytes = 0;  // of this generation's vectors and metadata
};

// One generation, open for reading as long as somebody holds it. Thread-safe: immutable.
class CatalogueSnapshot {
 public:
  virtual ~CatalogueSnapshot() = default;
  // query [vectors, dim] or [dim] float32, or one vector where tracks have several. Best first,
  // ties in the order of adding; min(top, matching tracks) hits always; the same bits for any
  // number of threads. Throws: InvalidArgument for wrong shapes, another space, not finite.
  virtual std::vector<CatalogueHit> search(const at::Tensor& query,
                                           const SearchOptions& options = {}) const = 0;
  // queries [queries, vectors, dim]: the same answers, faster than one by one.
  virtual std::vector<std::vector<CatalogueHit>> search_batch(
      const at::Tensor& queries, const SearchOptions& options = {}) const = 0;
  virtual std::optional<CatalogueRow> find(const std::string& id) const = 0;
  // Requires: index of a hit of this snapshot. Throws: InvalidArgument.
  virtual CatalogueRow row(int64_t index) const = 0;
  // A copy of a track's vectors [vectors, dim]. Throws: InvalidArgument.
  virtual at::Tensor vectors(int64_t index) const = 0;
  // In the order of adding; limit < 0 = all.
  virtual std::vector<CatalogueRow> list(const Filter& filter = {}, int64_t limit = -1) const = 0;
  virtual CatalogueStats stats() const = 0;
};

// A file to copy into the catalogue: exactly one of the two is given.
struct AttachmentSource {
  std::optional<std::string> bytes;
  std::optional<std::filesystem::path> path;
};

struct CatalogueOptions {
  bool verify = true;  // compare the checksums of all files on opening: one pass over them
};

class Catalogue {
 public:
  // Throws: StoreError where the folder already holds a catalogue or cannot be written;
  // InvalidArgument for an empty space.
  static std::unique_ptr<Catalogue> create(const std::filesystem::path& folder, const Space& space);
  // Throws: StoreError naming the file that is missing, damaged or of a newer version, and what to
  // do.
  static std::unique_ptr<Catalogue> open(const std::filesystem::path& folder,
                                         const CatalogueOptions& options = {});
  virtual ~Catalogue() = default;

  virtual std::shared_ptr<const CatalogueSnapshot> snapshot() const = 0;
  // Takes over a newer generation written by another process; false where there is none.
  virtual bool refresh() = 0;

  // Adds all tracks in one generation; a track whose id is there already is replaced.
  // Throws: InvalidArgument for another space (names both), wrong shapes, vectors that are not
  // finite, empty or repeated ids; StoreError when the disk is full (the old generation stays).
  virtual void add(const CatalogueTracks& tracks) = 0;
  // Returns how many were there.
  virtual int64_t remove(const std::vector<std::string>& ids) = 0;
  // Rewrites everything into one file without removed rows.
  virtual void compact() = 0;

  // Copies files in, all in one generation, replacing those of the same name. A name may have
  // folders ("model/weights.safetensors"), which then exist as such. Throws: InvalidArgument for
  // names that leave the folder, StoreError where a source cannot be read.
  virtual void attach(const std::map<std::string, AttachmentSource>& files) = 0;
  // Where the file lies; empty where there is none of this name. A file that is replaced stays at
  // least until the change after that.
  virtual std::optional<std::filesystem::path> attachment_path(const std::string& name) const = 0;
  // Name -> content hash (vmr::hash_file).
  virtual std::map<std::string, std::string> attachments() const = 0;

  // Shorthands for the newest snapshot.
  std::vector<CatalogueHit> search(const at::Tensor& query,
                                   const SearchOptions& options = {}) const {
    return snapshot()->search(query, options);
  }
  std::optional<CatalogueRow> find(const std::string& id) const { return snapshot()->find(id); }
  std::vector<CatalogueRow> list(const Filter& filter = {}, int64_t limit = -1) const {
    return snapshot()->list(filter, limit);
  }
  CatalogueStats stats() const { return snapshot()->stats(); }
};

}  // namespace vmr::retrieval
