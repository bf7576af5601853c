// check_store, merge_store, compact_store: care of a store as a whole.
#include <fcntl.h>
#include <stdio.h>

#include <cerrno>
#include <cstring>

#include "core/file_io.h"
#include "store/feature_table.h"
#include "store/lmdb.h"
#include "store/store_folder.h"
#include "store/tensor_record.h"
#include "vmr/core/error.h"
#include "vmr/store/feature_store.h"

namespace vmr::store {
namespace {

constexpr size_t kBatchBytes = size_t{64} << 20;  // copied per commit of a merge

std::string readable_key(std::string_view encoded) {
  std::string text(encoded);
  for (char& letter : text) {
    if (letter == '\0') letter = '/';
  }
  return text;
}

// What is wrong with a record; "" where it is whole.
struct Fault {
  std::string text;
  bool removable = true;  // the values are lost or hidden, so that removing costs nothing
};

Fault fault_of(std::string_view encoded, std::string_view record,
               const std::map<std::string, FeatureEntry>& entries) {
  try {
    const auto header = parse_record(record);
    verify_values(header, record);
    auto key = decode_key(encoded, record);
    key.id = header.id;
    if (encode_key(key) != encoded) return {"record belongs to the id " + std::string(header.id)};
    const auto entry = entries.find(key_prefix(key.feature, key.kind));
    if (entry == entries.end()) return {"its feature has no provenance", false};
    if (entry->second.fingerprint != header.fingerprint) {
      return {"provenance " + std::string(header.fingerprint) + " is not the feature's " +
                  entry->second.fingerprint,
              false};
    }
    return {};
  } catch (const DamagedRecord& error) {
    return {error.what()};
  } catch (const Error& error) {
    return {error.what(), false};
  }
}

std::string name_of(std::string_view encoded, std::string_view record) {
  try {
    return key_text(decode_key(encoded, record));
  } catch (const Error&) {
    return readable_key(encoded);
  }
}

struct EarlierPart {
  std::string name;
  std::shared_ptr<Environment> environment;
  std::map<std::string, FeatureEntry> entries;
};

// Compares a whole record with the same key in earlier parts, which hide it. A record there with a
// fault of its own hides nothing for good: this one may be the only whole copy.
Fault shadow_of(std::string_view encoded, std::string_view record,
                const std::vector<EarlierPart>& earlier) {
  for (const auto& part : earlier) {
    const ReadTransaction transaction(*part.environment);
    const auto other = transaction.find(Table::tracks, encoded);
    if (!other) continue;
    if (*other == record) return {};
    if (fault_of(encoded, *other, part.entries).text.empty()) {
      return {"part " + part.name + " has another value, which is read"};
    }
  }
  return {};
}

int64_t total_tracks(const std::map<std::string, FeatureEntry>& entries) {
  int64_t total = 0;
  for (const auto& [prefix, entry] : entries) total += entry.tracks;
  return total;
}

std::string prefix_of(const std::string& key) {
  return key.substr(0, key.find('\0', key.find('\0') + 1) + 1);
}

// Requires: the writer's lock of the part.
int64_t remove_records(const std::filesystem::path& part, const std::vector<std::string>& keys) {
  const auto environment = Environment::open(part, {.writable = true});
  int64_t removed = 0;
  environment->write(0, [&](WriteTransaction& transaction) {
    removed = 0;
    for (const auto& key : keys) removed += remove_record(transaction, key, prefix_of(key));
  });
  return removed;
}

// Makes room for the whole `record` of part `name` in the main part. False where the main part's
// own stays. Throws: StoreError where either would be lost that could still be of use.
bool make_way(WriteTransaction& main, const std::string& key, std::string_view record,
              const std::string& name, const RunControl& control) {
  const auto have = main.find(Table::tracks, key);
  if (!have) return true;
  const std::string prefix = prefix_of(key);
  if (*have == record && find_entry(main, prefix)) return false;
  const auto fault = fault_of(key, *have, list_entries(main));
  const auto text = "merge_store: " + name_of(key, record) + ": ";
  if (fault.text.empty()) {
    control.log(LogLevel::warning, text + "kept the main part's value, not that of " + name);
    return false;
  }
  if (!fault.removable) {
    throw StoreError(text + "the main part's value cannot be read (" + fault.text +
                     ") and merging would drop it or that of part " + name);
  }
  control.log(LogLevel::warning,
              text + "the main part's value is damaged (" + fault.text + "); took that of " + name);
  remove_record(main, key, prefix);
  return true;
}

// Copies what `main` lacks or has damaged; returns the number of tracks copied, -1 where stopped.
int64_t merge_part(Environment& main, Environment& part, const std::string& name,
                   const RunControl& control) {
  const ReadTransaction source(part);
  const auto entries = list_entries(source);
  {
    const ReadTransaction target(main);
    for (const auto& [prefix, entry] : entries) {
      if (const auto have = find_entry(target, prefix)) {
        require_same(*have, entry, prefix, "the main part", "part " + name);
      }
    }
  }
  int64_t copied = 0, seen = 0;
  const int64_t total = total_tracks(entries);
  std::vector<std::pair<std::string, std::string_view>> batch;
  size_t batch_bytes = 0;
  const auto commit = [&] {
    int64_t added = 0;
    main.write(batch_bytes, [&](WriteTransaction& target) {
      added = 0;
      for (const auto& [key, record] : batch) {
        if (!make_way(target, key, record, name, control)) continue;
        const auto header = parse_record(record);
        const std::string prefix = prefix_of(key);
        auto feature = entries.at(prefix);
        feature.tracks = feature.value_bytes = 0;
        std::memcpy(add_record(target, key, prefix, feature, record.size(),
                               static_cast<int64_t>(header.value_bytes)),
                    record.data(), record.size());
        ++added;
      }
    });
    copied += added;
    batch.clear();
    batch_bytes = 0;
    control.progress({"merge", seen, total, name});
  };
  bool stopped = false;
  source.each(Table::tracks, "", [&](std::string_view key, std::string_view record) {
    if (const auto fault = fault_of(key, record, entries); !fault.text.empty()) {
      throw StoreError(
          detail::concat("merge_store: part ", name, ": ", name_of(key, record), ": ", fault.text,
                         fault.removable ? "; `vmr store check --remove-damaged` takes "
                                           "it out, then merge"
                                         : ""));
    }
    batch.emplace_back(key, record);
    batch_bytes += record.size() + 2 * kMaxKeyBytes;
    ++seen;
    if (batch_bytes >= kBatchBytes) commit();
    stopped = control.stop.stop_requested();
    return !stopped;
  });
  commit();
  if (stopped) return -1;
  std::vector<std::pair<std::string, std::string>> notes;
  source.each(Table::notes, "", [&](std::string_view note, std::string_view text) {
    notes.emplace_back(note, text);
    return true;
  });
  main.write(0, [&](WriteTransaction& target) {
    for (const auto& [note, text] : notes) {
      if (!target.find(Table::notes, note)) target.put(Table::notes, note, text);
    }
  });
  return copied;
}

// A folder first loses the name under which it is read, so that a stop in between leaves no half.
void remove_folder(const std::filesystem::path& folder, const std::string& name) {
  const auto aside = folder / ("removed-" + name);
  std::filesystem::remove_all(aside);
  std::filesystem::rename(folder / name, aside);
  detail::sync_path(folder);
  std::filesystem::remove_all(aside);
}

}  // namespace

StoreReport check_store(const std::filesystem::path& folder, const RunControl& control,
                        const CheckOptions& options) {
  open_folder(folder, false);
  StoreReport report;
  std::vector<std::unique_ptr<WriterLock>> locks;  // nothing is replaced between look and removal
  for (const auto& name :
       options.remove_damaged ? list_parts(folder) : std::vector<std::string>()) {
    locks.push_back(std::make_unique<WriterLock>(folder, name));
  }
  std::map<std::string, std::vector<std::string>> removable;  // encoded keys by part
  std::vector<EarlierPart> parts;
  for (const auto& name : list_parts(folder)) {
    try {
      const auto environment = Environment::open(folder / name, {.walk = true});
      const ReadTransaction transaction(*environment);
      const auto entries = list_entries(transaction);
      const auto total = total_tracks(entries);
      int64_t seen = 0;
      transaction.each(Table::tracks, "", [&](std::string_view key, std::string_view record) {
        auto fault = fault_of(key, record, entries);
        if (fault.text.empty()) fault = shadow_of(key, record, parts);
        if (!fault.text.empty()) {
          report.damaged.push_back({name_of(key, record), "part " + name + ": " + fault.text});
          if (fault.removable) removable[name].emplace_back(key);
        }
        ++report.checked;
        control.progress({"check", ++seen, total, name});
        return !control.stop.stop_requested();
      });
      if (seen != total && !control.stop.stop_requested()) {
        report.damaged.push_back(
            {name, detail::concat("part has ", seen, " tracks, its provenance ", "entries count ",
                                  total)});
      }
      parts.push_back({name, environment, entries});
    } catch (const StoreError& error) {
      report.damaged.push_back({name, error.what()});
      removable.erase(name);  // its pages cannot be trusted with a write
    }
  }
  parts.clear();
  size_t count = 0;
  for (const auto& [name, keys] : removable) {
    if (control.stop.stop_requested()) break;
    count += keys.size();
    if (options.remove_damaged) report.removed += remove_records(folder / name, keys);
  }
  if (!options.remove_damaged && count > 0) {
    control.log(LogLevel::info, detail::concat("`vmr store check ", folder.string(),
                                               " --remove-damaged` takes out ", count, " of ",
                                               report.damaged.size(), " damaged"));
  }
  return report;
}

int64_t merge_store(const std::filesystem::path& folder, const RunControl& control) {
  open_folder(folder, false);
  const WriterLock main_lock(folder, kMainPart);
  std::filesystem::create_directories(folder / kMainPart);
  const auto main = Environment::open(folder / kMainPart, {.writable = true});
  int64_t copied = 0;
  for (const auto& name : list_parts(folder)) {
    if (name == kMainPart) continue;
    const WriterLock lock(folder, name);
    int64_t added;
    {
      const auto part = Environment::open(folder / name, {.walk = true});
      added = merge_part(*main, *part, name, control);
    }
    if (added < 0) break;
    copied += added;
    remove_folder(folder, name);
    std::filesystem::remove(folder / (name + ".writer"));
  }
  return copied;
}

int64_t compact_store(const std::filesystem::path& folder) {
  open_folder(folder, false);
  const WriterLock lock(folder, kMainPart);
  if (!std::filesystem::exists(folder / kMainPart)) return 0;
  const std::string fresh = "compacted";
  std::filesystem::remove_all(folder / fresh);
  std::filesystem::create_directories(folder / fresh);
  int64_t before = 0, after = 0;
  try {
    {
      const auto main = Environment::open(folder / kMainPart, {.writable = true});
      before = main->file_bytes();
      main->copy_compact(folder / fresh);
    }
    {
      const auto copy = Environment::open(folder / fresh, {});
      after = copy->file_bytes();
    }
    detail::sync_path(folder / fresh / "data.mdb");
    detail::sync_path(folder / fresh);
    // One step, so that there is a main part at every moment; readers that have the old one open
    // go on with it.
    if (::renameat2(AT_FDCWD, (folder / fresh).c_str(), AT_FDCWD, (folder / kMainPart).c_str(),
                    RENAME_EXCHANGE) != 0) {
      throw StoreError(
          detail::concat("compact_store: ", folder.string(),
                         ": the file system cannot exchange two folders: ", std::strerror(errno)));
    }
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove_all(folder / fresh, ignored);
    throw;
  }
  detail::sync_path(folder);
  std::filesystem::remove_all(folder / fresh);
  return before - after;
}

}  // namespace vmr::store
