// FeatureStore: a folder that keeps FeatureTracks under (feature, kind, id) in LMDB. One writer,
// many readers, in one process or several; a commit is atomic and survives a crash. Values keep
// their provenance, and a feature holds tracks of one provenance fingerprint only. Layout:
// docs/store_format.md. Thread-safe: reads and writes may come from any thread, writes queue.
// Not for use across fork(): the child opens the store again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vmr/core/feature_track.h"
#include "vmr/core/run_control.h"

namespace vmr::store {

// Address of a track in a store. kind is "film" or "music".
struct FeatureKey {
  std::string feature;
  std::string kind;
  std::string id;  // UTF-8, any length

  bool operator==(const FeatureKey&) const = default;
  auto operator<=>(const FeatureKey&) const = default;
};

struct StoreOptions {
  bool writable = false;  // opens or creates; false: the store must exist
  int shard_index = 0;    // this writer's part, from 0
  int shard_count = 1;    // 1 = the main part; readers always see the union of all parts
  // fsync at every commit. false: at closing only, for stores that can be made again: a killed
  // process still loses nothing, a power cut before closing may cost the part.
  bool sync = true;
  int64_t initial_map_bytes = int64_t{1} << 30;  // grows by itself
};

struct StoreStats {
  int64_t tracks = 0;
  int64_t value_bytes = 0;
  int64_t file_bytes = 0;
  int parts = 0;
};

// What check() found: keys whose checksum, header or provenance is wrong, with the reason.
struct StoreReport {
  int64_t checked = 0;
  std::vector<ItemFailure> damaged;
  int64_t removed = 0;  // of the damaged ones, where asked for
};

struct CheckOptions {
  // Takes damaged tracks out, and those that a whole one in an earlier part hides, so that they
  // count as absent and can be made again. What no removal mends stays: a part that cannot be
  // opened, tracks of a newer version, whole values whose provenance is missing or another. A stop
  // request ends the removing too.
  bool remove_damaged = false;
};

class FeatureStore {
 public:
  // Throws: StoreError where the folder is no store (and writable is off), was written by a newer
  // version, is damaged, or another writer holds the same part; NotBuilt without LMDB.
  static std::unique_ptr<FeatureStore> open(const std::filesystem::path& folder,
                                            const StoreOptions& options = {});
  virtual ~FeatureStore() = default;

  // All tracks of one item in one atomic commit; replaces tracks of the same key.
  // Throws: InvalidArgument for bad tracks or read-only stores, StoreError when the disk is full or
  // the feature already holds tracks of another fingerprint (names both; see replace_feature).
  virtual void put(const std::vector<std::pair<FeatureKey, FeatureTrack>>& tracks) = 0;
  // Empty where absent. The copy is the caller's. Throws: StoreError naming the key and the remedy
  // where the value is damaged.
  virtual std::optional<FeatureTrack> find(const FeatureKey& key) const = 0;
  // Calls body with a track whose values lie in the mapped file: no copy, 64-byte aligned above
  // 2 KB, valid only inside body and not writable. Returns false where absent. The checksum of the
  // header is compared, that of the values is not (find and check_store do).
  // Requires: body neither writes to this store (InvalidArgument) nor waits for who does.
  virtual bool visit(const FeatureKey& key,
                     const std::function<void(const FeatureTrack&)>& body) const = 0;
  virtual bool contains(const FeatureKey& key) const = 0;
  // Sorted by (feature, kind, id); "" = all.
  virtual std::vector<FeatureKey> keys(const std::string& feature = "",
                                       const std::string& kind = "") const = 0;
  virtual std::vector<std::string> features() const = 0;
  // Provenance common to a feature's tracks of a kind (media_hash empty); empty where none.
  virtual std::optional<Provenance> provenance(const std::string& feature,
                                               const std::string& kind) const = 0;
  // Removes all tracks of a feature and kind, so that tracks of another provenance can be put.
  // Like remove and put, changes this writer's part only. Throws: StoreError where another part
  // holds such a track too (put: an earlier part, which would hide the new one); merge first.
  virtual int64_t remove_feature(const std::string& feature, const std::string& kind) = 0;
  virtual bool remove(const FeatureKey& key) = 0;

  // Small texts beside the tracks: statistics, fitted quantiles, recipes. Same atomicity.
  virtual void put_note(const std::string& name, const std::string& text) = 0;
  virtual std::optional<std::string> find_note(const std::string& name) const = 0;

  virtual StoreStats stats() const = 0;
};

// Reads every value and compares checksums. Never throws for damaged values: they are in the
// report. A part that cannot be opened is an entry of its own. Logs how many could be removed,
// where that was not asked for. Throws: StoreError where the folder is no store, or is to be
// changed while another writes it.
StoreReport check_store(const std::filesystem::path& folder, const RunControl& control = {},
                        const CheckOptions& options = {});
// Copies all shard parts of `folder` into its main part and removes them; resumable. Where both
// hold a key the main part's value stays unless it is damaged (logged where they differ). Returns
// the tracks copied. Throws: StoreError where a part is being written, a shard is damaged, the main
// part's value is of a newer version or without its provenance, or provenances differ.
int64_t merge_store(const std::filesystem::path& folder, const RunControl& control = {});
// Rewrites the main part without free pages; returns bytes saved. Open readers go on with the old
// file. Throws: StoreError where the main part is being written.
int64_t compact_store(const std::filesystem::path& folder);

}  // namespace vmr::store
