// ClipDataset: the rows (clips) of a feature, each labelled with a class of its item, for Conformer
// pre-training and taggers. Values stay in the store and are read batch by batch, so a data set may
// be larger than memory. Items without the feature or the label are left out and listed.
// Thread-safe after construction: all calls only read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/data/batch.h"
#include "vmr/store/feature_store.h"
#include "vmr/store/manifest.h"

namespace vmr::data {

struct ClipDatasetOptions {
  std::string feature;         // "fbank": [clips, frames, mels]
  std::string kind = "music";  // or "film"
  std::string split;           // "" = all items
  // "tag" = the item's first tag, otherwise a field of the manifest. A film that lacks it takes its
  // track's.
  std::string label_field = "tag";
  int64_t batch = 1024;  // clips
  // Clips are mixed within groups of this many items, so that a batch reads few items (the
  // published loader's 500 files); 0 = within the whole epoch.
  int64_t group_items = 500;
};
void validate(const ClipDatasetOptions& options);

class ClipDataset {
 public:
  // Classes are the sorted distinct labels of all items of the kind in the manifest, whatever their
  // split, so that training and validation agree. Keeps a reference to the store. Every value is
  // read once here and its checksum compared; collate() trusts it afterwards.
  // Throws: InvalidArgument where no item is left (with the first reasons, or the splits there
  // are); StoreError naming the item where a value is damaged.
  ClipDataset(const store::FeatureStore& store, const store::Manifest& manifest,
              ClipDatasetOptions options, const RunControl& control = {});

  const ClipDatasetOptions& options() const { return options_; }
  int64_t size() const { return first_clip_.back(); }               // clips
  const std::vector<std::string>& items() const { return items_; }  // manifest order
  const std::vector<std::string>& classes() const { return classes_; }
  const std::vector<int64_t>& labels() const { return labels_; }  // of items(), into classes()
  const std::vector<ItemFailure>& missing() const { return missing_; }
  const std::vector<int64_t>& clip_shape() const { return clip_shape_; }  // without the row axis

  int64_t batches_per_epoch() const;
  // The clips of an epoch's batches: items shuffled, then clips within each group. Clip number c is
  // a row of the item i with first_clip(i) <= c < first_clip(i+1). Pure in (seed, epoch).
  std::vector<std::vector<int64_t>> epoch_batches(uint64_t seed, int64_t epoch) const;
  // All clips in order, the same batch size: for validation.
  std::vector<std::vector<int64_t>> ordered_batches() const;
  int64_t first_clip(int64_t item) const { return first_clip_.at(static_cast<size_t>(item)); }

  // values keep the feature's dtype. Throws: InvalidArgument for positions out of range;
  // StoreError where a track vanished, changed its length or is damaged.
  ClipBatch collate(const std::vector<int64_t>& clips) const;

 private:
  std::vector<std::vector<int64_t>> slices(const std::vector<int64_t>& order) const;

  const store::FeatureStore* store_;
  ClipDatasetOptions options_;
  std::vector<std::string> items_, classes_;
  std::vector<int64_t> labels_;      // [items]
  std::vector<int64_t> first_clip_;  // [items + 1]
  std::vector<int64_t> clip_shape_;
  std::vector<ItemFailure> missing_;
};

}  // namespace vmr::data
