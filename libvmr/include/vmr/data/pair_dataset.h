// PairDataset: the films of a split with their tracks and tags, all features in memory, as padded
// and masked batches for a MatchingModel. Films that lack a feature, a track or a tag are left out
// and listed with the reason. Memory: every feature of every used item once, a track once however
// many films use it. Thread-safe after construction: all calls only read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/data/batch.h"
#include "vmr/data/tag_vectors.h"
#include "vmr/store/feature_store.h"
#include "vmr/store/manifest.h"

namespace vmr::data {

// One feature an item must have.
struct FeatureInput {
  std::string feature;
  int64_t max_rows = 0;  // later rows are cut; 0 = all rows
  // Name of another input of the same side that must have as many rows ("" = free): clip features
  // and rhythm classes describe the same clips.
  std::string rows_like;
};

struct PairDatasetOptions {
  std::string split;  // of the films; "" = all films
  std::vector<FeatureInput> music, video;
  // Gallery also holds the split's tracks that no film uses.
  bool unused_tracks = false;
  // Tracks alone: no films are read, and none need to be there.
  bool music_only = false;
};
void validate(const PairDatasetOptions& options);

class PairDataset {
 public:
  // Feature values: floating types become float32, integers int64, uint8 stays. The tag of a film
  // is its first, else its track's first. With tag vectors a film needs one of their tags and
  // classes are positions in them; without, classes are positions among the sorted tags of all
  // films of the manifest ("" for none), so that the splits of a manifest agree.
  // Throws: InvalidArgument where no film is left (with the first reasons); StoreError for damaged
  // values.
  PairDataset(const store::FeatureStore& store, const store::Manifest& manifest,
              PairDatasetOptions options, TagVectors tag_vectors = {},
              const RunControl& control = {});

  int64_t size() const { return static_cast<int64_t>(films_.size()); }
  const std::vector<std::string>& films() const { return films_; }    // manifest order
  const std::vector<std::string>& tracks() const { return tracks_; }  // manifest order
  const std::vector<std::string>& tags() const { return tags_; }      // sorted
  const std::vector<int64_t>& track_of_film() const { return track_of_film_; }
  const std::vector<int64_t>& tag_of_film() const { return tag_of_film_; }
  const std::vector<ItemFailure>& missing() const { return missing_; }

  int64_t text_dim() const { return tag_vectors_.dim(); }  // 0 without tag vectors

  // Row i is film films[i] with its track; negatives, where given, one for each. PairBatch.text is
  // undefined without tag vectors. Throws: InvalidArgument for positions out of range.
  PairBatch collate(const std::vector<int64_t>& films,
                    const std::vector<int64_t>& negatives = {}) const;
  // One side alone, for embedding a gallery: positions into tracks() and films().
  FeatureMap collate_music(const std::vector<int64_t>& tracks) const;
  FeatureMap collate_video(const std::vector<int64_t>& films) const;

 private:
  // values[feature of the side][item], each [rows, ...] contiguous.
  struct Side {
    std::vector<FeatureInput> inputs;
    std::vector<std::vector<at::Tensor>> values;
  };
  FeatureMap collate_side(const Side& side, const std::vector<int64_t>& items) const;

  PairDatasetOptions options_;
  TagVectors tag_vectors_;
  std::vector<std::string> films_, tracks_, tags_;
  std::vector<int64_t> track_of_film_, tag_of_film_;
  std::vector<ItemFailure> missing_;
  Side music_, video_;
};

}  // namespace vmr::data
