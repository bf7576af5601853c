// The bytes of one track as they lie in a store (docs/store_format.md): header, row times, id and
// hashes, padding, then the values. Parsing never trusts a length before it has checked it.
// Thread-safe.
#pragma once

#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vmr/core/error.h"
#include "vmr/core/feature_track.h"
#include "vmr/store/feature_store.h"

namespace vmr::store {

// XXH64 as published: the checksum of headers and values. About 20 GB/s in cache, any machine.
uint64_t xxh64(std::string_view bytes, uint64_t seed = 0);

inline constexpr uint8_t kRecordVersion = 1;
inline constexpr size_t kMaxKeyBytes = 511;  // LMDB's limit

// A record that is not what was written: it can only be made again.
class DamagedRecord : public StoreError {
 public:
  using StoreError::StoreError;
};

struct RecordHeader {
  at::ScalarType dtype = at::ScalarType::Float;
  std::vector<int64_t> shape;
  RowTimes times;
  std::string_view fingerprint, id, media_hash;  // in the record's memory
  size_t value_offset = 0, value_bytes = 0;
  uint64_t value_hash = 0;
};

// Throws: InvalidArgument where a track cannot be stored (dtype, axes, size); see validate(track).
size_t record_bytes(const FeatureTrack& track, const std::string& id);
// Hash of a track's values, for encode_record: apart, so that it is done outside of the write lock.
uint64_t value_hash(const FeatureTrack& track);
// Writes record_bytes(track, id) bytes to `out`.
void encode_record(const FeatureTrack& track, const std::string& id, const std::string& fingerprint,
                   uint64_t value_hash, char* out);

// Throws: DamagedRecord telling what is wrong: cut short, checksum of the header, lengths that do
// not add up; StoreError for a record of a newer version.
RecordHeader parse_record(std::string_view record);
// Throws: DamagedRecord where the values do not have the checksum of the header.
void verify_values(const RecordHeader& header, std::string_view record);

// Key of a track: feature NUL kind NUL id. Too long an id is replaced by 0xFF and its hash, which
// no UTF-8 text starts with. Throws: InvalidArgument for empty parts, NUL in feature or kind, and
// feature plus kind above 400 bytes.
std::string encode_key(const FeatureKey& key);
// Common start of the keys of a feature and kind ("" = all, kind only together with feature).
std::string key_prefix(const std::string& feature, const std::string& kind);
// The key whose bytes are `encoded`; the id of a hashed key is in its record.
// Throws: StoreError where it is none.
FeatureKey decode_key(std::string_view encoded, std::string_view record);
// "feature/kind/id" for messages.
std::string key_text(const FeatureKey& key);

}  // namespace vmr::store
