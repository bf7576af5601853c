#include "vmr/store/feature_store.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <set>

#include "store/feature_table.h"
#include "store/lmdb.h"
#include "store/store_folder.h"
#include "store/tensor_record.h"
#include "vmr/core/error.h"

namespace vmr::store {
namespace {

struct Part {
  std::string name;
  std::shared_ptr<Environment> environment;
};

class LmdbStore : public FeatureStore {
 public:
  LmdbStore(const std::filesystem::path& folder, const StoreOptions& options);

  void put(const std::vector<std::pair<FeatureKey, FeatureTrack>>& tracks) override;
  std::optional<FeatureTrack> find(const FeatureKey& key) const override;
  bool visit(const FeatureKey& key,
             const std::function<void(const FeatureTrack&)>& body) const override;
  bool contains(const FeatureKey& key) const override;
  std::vector<FeatureKey> keys(const std::string& feature, const std::string& kind) const override;
  std::vector<std::string> features() const override;
  std::optional<Provenance> provenance(const std::string& feature,
                                       const std::string& kind) const override;
  int64_t remove_feature(const std::string& feature, const std::string& kind) override;
  bool remove(const FeatureKey& key) override;
  void put_note(const std::string& name, const std::string& text) override;
  std::optional<std::string> find_note(const std::string& name) const override;
  StoreStats stats() const override;

 private:
  // Calls body with the record of the first part that has the key, while it is mapped.
  bool read(const FeatureKey& key,
            const std::function<void(const Transaction&, std::string_view)>& body) const;
  Provenance provenance_of(const Transaction& transaction, const FeatureKey& key,
                           const RecordHeader& header) const;
  void open_parts();
  Environment& own(const char* function) const;
  void check_others(const std::map<std::string, FeatureEntry>& features) const;
  void check_not_elsewhere(const std::string& encoded, const FeatureKey& key, bool earlier_only,
                           const char* function) const;

  std::filesystem::path folder_;
  std::unique_ptr<WriterLock> lock_;  // released after the parts below are closed
  std::vector<Part> parts_;           // in the order in which they are searched
  size_t own_ = 0;                    // index of the part that is written
  mutable std::mutex mutex_;          // guards provenances_
  mutable std::map<std::string, Provenance, std::less<>> provenances_;  // by fingerprint
};

LmdbStore::LmdbStore(const std::filesystem::path& folder, const StoreOptions& options)
    : folder_(folder) {
  const std::string own = part_name(options.shard_index, options.shard_count);
  open_folder(folder, options.writable);
  std::shared_ptr<Environment> written;
  if (options.writable) {
    lock_ = std::make_unique<WriterLock>(folder, own);
    std::filesystem::create_directories(folder / own);
    written = Environment::open(folder / own, {true, options.sync, options.initial_map_bytes});
  }
  open_parts();
  while (options.writable && parts_[own_].name != own) ++own_;
  // Shards that were written with different options: reading either would mix them.
  std::map<std::string, std::pair<FeatureEntry, std::string>> seen;
  for (const auto& part : parts_) {
    const ReadTransaction transaction(*part.environment);
    for (const auto& [prefix, entry] : list_entries(transaction)) {
      const auto [first, added] = seen.emplace(prefix, std::pair(entry, part.name));
      if (!added) {
        require_same(first->second.first, entry, prefix, "part " + first->second.second,
                     "part " + part.name);
      }
    }
  }
}

void LmdbStore::open_parts() {
  for (int attempt = 0;; ++attempt) {
    const auto names = list_parts(folder_);
    try {
      for (const auto& name : names)
        parts_.push_back({name, Environment::open(folder_ / name, {})});
      return;
    } catch (const StoreError&) {
      parts_.clear();
      // A merge may have removed a part between the listing and the opening.
      if (attempt == 3 || list_parts(folder_) == names) throw;
    }
  }
}

Environment& LmdbStore::own(const char* function) const {
  VMR_CHECK(lock_ != nullptr, "FeatureStore::", function, ": ", folder_.string(),
            " was opened for reading; open it with writable = true");
  return *parts_[own_].environment;
}

void LmdbStore::check_others(const std::map<std::string, FeatureEntry>& features) const {
  for (const auto& part : parts_) {
    const ReadTransaction transaction(*part.environment);
    for (const auto& [prefix, entry] : features) {
      if (const auto have = find_entry(transaction, prefix)) {
        require_same(*have, entry, prefix, "part " + part.name, "the put");
      }
    }
  }
}

void LmdbStore::check_not_elsewhere(const std::string& encoded, const FeatureKey& key,
                                    bool earlier_only, const char* function) const {
  for (size_t i = 0; i < (earlier_only ? own_ : parts_.size()); ++i) {
    if (i == own_) continue;
    const ReadTransaction transaction(*parts_[i].environment);
    if (transaction.find(Table::tracks, encoded)) {
      throw StoreError(detail::concat("FeatureStore::", function, ": ", key_text(key),
                                      " is also in part ", parts_[i].name, " of ", folder_.string(),
                                      ", which this writer of part ", parts_[own_].name,
                                      " cannot change; merge_store() first"));
    }
  }
}

void LmdbStore::put(const std::vector<std::pair<FeatureKey, FeatureTrack>>& tracks) {
  Environment& environment = own("put");
  struct Item {
    std::string key, prefix;
    size_t bytes;
    uint64_t hash;
  };
  std::vector<Item> items;
  std::map<std::string, FeatureEntry> features;
  std::set<std::string> seen;
  size_t total = 0;
  for (const auto& [key, track] : tracks) {
    Item item{encode_key(key), key_prefix(key.feature, key.kind), record_bytes(track, key.id),
              value_hash(track)};
    VMR_CHECK(seen.insert(item.key).second, "FeatureStore::put: ", key_text(key), " twice");
    FeatureEntry entry{track.provenance.fingerprint(), track.provenance};
    entry.provenance.media_hash.clear();
    const auto [first, added] = features.emplace(item.prefix, entry);
    if (!added) require_same(first->second, entry, item.prefix, "the put", "the same put");
    check_not_elsewhere(item.key, key, true, "put");
    total += item.bytes + 2 * kMaxKeyBytes;
    items.push_back(std::move(item));
  }
  check_others(features);
  environment.write(total, [&](WriteTransaction& transaction) {
    for (size_t i = 0; i < items.size(); ++i) {
      const auto& [key, track] = tracks[i];
      const auto& feature = features.at(items[i].prefix);
      char* const place = add_record(transaction, items[i].key, items[i].prefix, feature,
                                     items[i].bytes, static_cast<int64_t>(track.values.nbytes()));
      encode_record(track, key.id, feature.fingerprint, items[i].hash, place);
    }
  });
}

bool LmdbStore::read(const FeatureKey& key,
                     const std::function<void(const Transaction&, std::string_view)>& body) const {
  const std::string encoded = encode_key(key);
  for (const auto& part : parts_) {
    const ReadTransaction transaction(*part.environment);
    if (const auto record = transaction.find(Table::tracks, encoded)) {
      body(transaction, *record);
      return true;
    }
  }
  return false;
}

Provenance LmdbStore::provenance_of(const Transaction& transaction, const FeatureKey& key,
                                    const RecordHeader& header) const {
  Provenance provenance;
  {
    std::lock_guard lock(mutex_);
    if (const auto found = provenances_.find(header.fingerprint); found != provenances_.end()) {
      provenance = found->second;
    }
  }
  if (provenance.extractor.empty() && provenance.version.empty()) {
    const auto entry = find_entry(transaction, key_prefix(key.feature, key.kind));
    if (!entry || entry->fingerprint != header.fingerprint) {
      throw StoreError("provenance " + std::string(header.fingerprint) +
                       " is not that of the feature");
    }
    provenance = entry->provenance;
    std::lock_guard lock(mutex_);
    provenances_.emplace(header.fingerprint, provenance);
  }
  provenance.media_hash = header.media_hash;
  return provenance;
}

constexpr const char* kMadeAgain =
    "then the `vmr extract` or `vmr embed` that made it makes it again";

// Runs body and puts the store and the key before what it throws about the record.
template <typename Body>
auto naming(const std::filesystem::path& folder, const FeatureKey& key, const Body& body) {
  try {
    return body();
  } catch (const DamagedRecord& error) {
    throw StoreError(detail::concat(
        "store: ", folder.string(), ": ", key_text(key), " is damaged: ", error.what(),
        "; `vmr store check ", folder.string(), " --remove-damaged` takes it out, ", kMadeAgain));
  } catch (const StoreError& error) {
    throw StoreError(
        detail::concat("store: ", folder.string(), ": ", key_text(key), ": ", error.what()));
  }
}

RecordHeader parse_record_of(const FeatureKey& key, std::string_view record) {
  auto header = parse_record(record);
  if (header.id != key.id)
    throw DamagedRecord("record belongs to the id " + std::string(header.id));
  return header;
}

std::optional<FeatureTrack> LmdbStore::find(const FeatureKey& key) const {
  std::optional<FeatureTrack> track;
  read(key, [&](const Transaction& transaction, std::string_view record) {
    naming(folder_, key, [&] {
      auto header = parse_record_of(key, record);
      verify_values(header, record);
      auto values = at::empty(header.shape, header.dtype);
      if (header.value_bytes > 0) {
        std::memcpy(values.mutable_data_ptr(), record.data() + header.value_offset,
                    header.value_bytes);
      }
      auto provenance = provenance_of(transaction, key, header);
      track = FeatureTrack{std::move(values), std::move(header.times), std::move(provenance)};
    });
  });
  return track;
}

bool LmdbStore::visit(const FeatureKey& key,
                      const std::function<void(const FeatureTrack&)>& body) const {
  return read(key, [&](const Transaction& transaction, std::string_view record) {
    FeatureTrack track;
    naming(folder_, key, [&] {
      auto header = parse_record_of(key, record);
      void* const place = const_cast<char*>(record.data()) + header.value_offset;
      track.values = at::from_blob(place, header.shape, header.dtype);
      // Small values lie between others in a page, at any even address.
      if (reinterpret_cast<uintptr_t>(place) % c10::elementSize(header.dtype) != 0) {
        auto copy = at::empty(header.shape, header.dtype);
        std::memcpy(copy.mutable_data_ptr(), place, header.value_bytes);
        track.values = std::move(copy);
      }
      track.provenance = provenance_of(transaction, key, header);
      track.times = std::move(header.times);
    });
    body(track);
  });
}

bool LmdbStore::contains(const FeatureKey& key) const {
  return read(key, [](const Transaction&, std::string_view) {});
}

std::vector<FeatureKey> LmdbStore::keys(const std::string& feature, const std::string& kind) const {
  std::vector<FeatureKey> keys;
  for (const auto& part : parts_) {
    const ReadTransaction transaction(*part.environment);
    transaction.each(Table::tracks, key_prefix(feature, kind),
                     [&](std::string_view encoded, std::string_view record) {
                       auto key = decode_key(encoded, record);
                       if (kind.empty() || key.kind == kind) keys.push_back(std::move(key));
                       return true;
                     });
  }
  // Within a part they are in order but for long ids; between parts they are not.
  if (!std::is_sorted(keys.begin(), keys.end())) std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

std::vector<std::string> LmdbStore::features() const {
  std::set<std::string> names;
  for (const auto& part : parts_) {
    const ReadTransaction transaction(*part.environment);
    for (const auto& [prefix, entry] : list_entries(transaction)) {
      names.insert(prefix.substr(0, prefix.find('\0')));
    }
  }
  return {names.begin(), names.end()};
}

std::optional<Provenance> LmdbStore::provenance(const std::string& feature,
                                                const std::string& kind) const {
  for (const auto& part : parts_) {
    const ReadTransaction transaction(*part.environment);
    if (const auto entry = find_entry(transaction, key_prefix(feature, kind))) {
      return entry->provenance;
    }
  }
  return std::nullopt;
}

int64_t LmdbStore::remove_feature(const std::string& feature, const std::string& kind) {
  Environment& environment = own("remove_feature");
  VMR_CHECK(!feature.empty() && !kind.empty(),
            "FeatureStore::remove_feature: expected a feature and a kind");
  const std::string prefix = key_prefix(feature, kind);
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (i == own_) continue;
    const ReadTransaction transaction(*parts_[i].environment);
    if (find_entry(transaction, prefix)) {
      throw StoreError(detail::concat("FeatureStore::remove_feature: ", feature, "/", kind,
                                      " has tracks in part ", parts_[i].name, " of ",
                                      folder_.string(), " too; merge_store() first"));
    }
  }
  int64_t removed = 0;
  const auto entry = provenance(feature, kind) ? stats().value_bytes : 0;
  environment.write(static_cast<size_t>(entry / 64), [&](WriteTransaction& transaction) {
    std::vector<std::string> keys;
    transaction.each(Table::tracks, prefix, [&](std::string_view key, std::string_view) {
      keys.emplace_back(key);
      return true;
    });
    for (const auto& key : keys) transaction.remove(Table::tracks, key);
    transaction.remove(Table::features, prefix);
    removed = static_cast<int64_t>(keys.size());
  });
  return removed;
}

bool LmdbStore::remove(const FeatureKey& key) {
  Environment& environment = own("remove");
  const std::string encoded = encode_key(key);
  check_not_elsewhere(encoded, key, false, "remove");
  bool removed = false;
  environment.write(0, [&](WriteTransaction& transaction) {
    removed = remove_record(transaction, encoded, key_prefix(key.feature, key.kind));
  });
  return removed;
}

void LmdbStore::put_note(const std::string& name, const std::string& text) {
  Environment& environment = own("put_note");
  VMR_CHECK(!name.empty() && name.size() <= kMaxKeyBytes,
            "FeatureStore::put_note: expected a name of 1 to ", kMaxKeyBytes, " bytes, got ",
            name.size());
  environment.write(text.size(), [&](WriteTransaction& transaction) {
    transaction.put(Table::notes, name, text);
  });
}

std::optional<std::string> LmdbStore::find_note(const std::string& name) const {
  if (name.empty() || name.size() > kMaxKeyBytes) return std::nullopt;
  for (const auto& part : parts_) {
    const ReadTransaction transaction(*part.environment);
    if (const auto text = transaction.find(Table::notes, name)) return std::string(*text);
  }
  return std::nullopt;
}

StoreStats LmdbStore::stats() const {
  StoreStats stats;
  stats.parts = static_cast<int>(parts_.size());
  for (const auto& part : parts_) {
    const ReadTransaction transaction(*part.environment);
    for (const auto& [prefix, entry] : list_entries(transaction)) {
      stats.tracks += entry.tracks;
      stats.value_bytes += entry.value_bytes;
    }
    stats.file_bytes += part.environment->file_bytes();
  }
  return stats;
}

}  // namespace

std::unique_ptr<FeatureStore> FeatureStore::open(const std::filesystem::path& folder,
                                                 const StoreOptions& options) {
  return std::make_unique<LmdbStore>(folder, options);
}

}  // namespace vmr::store
