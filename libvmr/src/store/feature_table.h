// The table "features" of a part: per feature and kind the provenance that all its tracks share,
// and how many there are. Thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "store/lmdb.h"
#include "vmr/core/feature_track.h"

namespace vmr::store {

struct FeatureEntry {
  std::string fingerprint;
  Provenance provenance;  // media_hash empty
  int64_t tracks = 0, value_bytes = 0;
};

// Throws: InvalidArgument where a text of the provenance is not UTF-8.
std::string encode_entry(const FeatureEntry& entry);
// Throws: StoreError where `text` is no entry.
FeatureEntry parse_entry(std::string_view text);

// `prefix`: key_prefix(feature, kind).
std::optional<FeatureEntry> find_entry(const Transaction& transaction, std::string_view prefix);
// All entries of a part by prefix.
std::map<std::string, FeatureEntry> list_entries(const Transaction& transaction);
// Throws: StoreError naming both fingerprints and the first field of provenance that differs.
void require_same(const FeatureEntry& have, const FeatureEntry& come, std::string_view prefix,
                  const std::string& have_place, const std::string& come_place);

// Adds an encoded track to a part's tables, replacing one of the same key, and keeps the counts.
// The caller has compared fingerprints. Returns where the record's bytes go.
char* add_record(WriteTransaction& transaction, const std::string& key, std::string_view prefix,
                 const FeatureEntry& feature, size_t record_bytes, int64_t value_bytes);
// Removes a track, and the feature's entry with its last track. False where absent.
bool remove_record(WriteTransaction& transaction, const std::string& key, std::string_view prefix);

}  // namespace vmr::store
