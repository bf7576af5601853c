#include "store/feature_table.h"

#include <nlohmann/json.hpp>

#include "store/tensor_record.h"
#include "vmr/core/error.h"

namespace vmr::store {
namespace {

std::string readable(std::string_view prefix) {
  std::string text(prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1));
  for (char& letter : text) {
    if (letter == '\0') letter = '/';
  }
  return text;
}

// A damaged record counts for nothing, so that it can still be replaced or removed.
int64_t value_bytes_of(std::string_view record) {
  try {
    return static_cast<int64_t>(parse_record(record).value_bytes);
  } catch (const StoreError&) {
    return 0;
  }
}

void save_entry(WriteTransaction& transaction, std::string_view prefix, const FeatureEntry& entry) {
  if (entry.tracks <= 0) {
    transaction.remove(Table::features, prefix);
  } else {
    transaction.put(Table::features, prefix, encode_entry(entry));
  }
}

}  // namespace

std::string encode_entry(const FeatureEntry& entry) {
  const nlohmann::json json = {{"fingerprint", entry.fingerprint},
                               {"extractor", entry.provenance.extractor},
                               {"version", entry.provenance.version},
                               {"options", entry.provenance.options},
                               {"weights_hash", entry.provenance.weights_hash},
                               {"tracks", entry.tracks},
                               {"value_bytes", entry.value_bytes}};
  try {
    return json.dump();
  } catch (const nlohmann::json::exception&) {
    throw InvalidArgument("FeatureStore: provenance of extractor " + entry.provenance.extractor +
                          " is not UTF-8");
  }
}

FeatureEntry parse_entry(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    FeatureEntry entry;
    json.at("fingerprint").get_to(entry.fingerprint);
    json.at("extractor").get_to(entry.provenance.extractor);
    json.at("version").get_to(entry.provenance.version);
    json.at("options").get_to(entry.provenance.options);
    json.at("weights_hash").get_to(entry.provenance.weights_hash);
    json.at("tracks").get_to(entry.tracks);
    json.at("value_bytes").get_to(entry.value_bytes);
    return entry;
  } catch (const nlohmann::json::exception&) {
    throw StoreError("store: a provenance entry is damaged");
  }
}

std::optional<FeatureEntry> find_entry(const Transaction& transaction, std::string_view prefix) {
  const auto text = transaction.find(Table::features, prefix);
  return text ? std::optional(parse_entry(*text)) : std::nullopt;
}

std::map<std::string, FeatureEntry> list_entries(const Transaction& transaction) {
  std::map<std::string, FeatureEntry> entries;
  transaction.each(Table::features, "", [&](std::string_view prefix, std::string_view text) {
    entries.emplace(prefix, parse_entry(text));
    return true;
  });
  return entries;
}

void require_same(const FeatureEntry& have, const FeatureEntry& come, std::string_view prefix,
                  const std::string& have_place, const std::string& come_place) {
  if (have.fingerprint == come.fingerprint) return;
  std::string difference;
  const auto compare = [&](const char* name, const std::string& a, const std::string& b) {
    if (difference.empty() && a != b) {
      difference = detail::concat(name, " \"", a, "\" against \"", b, "\"");
    }
  };
  compare("extractor", have.provenance.extractor, come.provenance.extractor);
  compare("version", have.provenance.version, come.provenance.version);
  compare("options", have.provenance.options, come.provenance.options);
  compare("weights", have.provenance.weights_hash, come.provenance.weights_hash);
  throw StoreError(detail::concat(
      "store: ", readable(prefix), " has tracks of provenance ", have.fingerprint, " in ",
      have_place, " but ", come_place, " has ", come.fingerprint, " (", difference,
      "); they must not mix: use another store, or remove_feature() the old ones first"));
}

char* add_record(WriteTransaction& transaction, const std::string& key, std::string_view prefix,
                 const FeatureEntry& feature, size_t record_bytes, int64_t value_bytes) {
  auto entry = find_entry(transaction, prefix).value_or(feature);
  // Another thread may have come first since the caller looked.
  require_same(entry, feature, prefix, "the store", "the put");
  if (const auto old = transaction.find(Table::tracks, key)) {
    entry.value_bytes -= value_bytes_of(*old);
  } else {
    ++entry.tracks;
  }
  entry.value_bytes += value_bytes;
  save_entry(transaction, prefix, entry);
  return transaction.reserve(Table::tracks, key, record_bytes);
}

bool remove_record(WriteTransaction& transaction, const std::string& key, std::string_view prefix) {
  const auto old = transaction.find(Table::tracks, key);
  if (!old) return false;
  const auto bytes = value_bytes_of(*old);
  transaction.remove(Table::tracks, key);
  if (auto entry = find_entry(transaction, prefix)) {
    --entry->tracks;
    entry->value_bytes -= bytes;
    save_entry(transaction, prefix, *entry);
  }
  return true;
}

}  // namespace vmr::store
