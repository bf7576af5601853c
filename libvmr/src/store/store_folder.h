// What lies in a store's folder: the format file, the main part, the parts of shards, and one lock
// file per part that its writer holds. Thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "vmr/core/error.h"

namespace vmr::store {

inline constexpr const char* kMainPart = "main";

// Throws: StoreError where `folder` is no store or of a newer version; with `create`, makes an
// empty or absent folder a store.
void open_folder(const std::filesystem::path& folder, bool create);

// "main" or "part-<index>-of-<count>". Throws: InvalidArgument unless 0 <= index < count.
std::string part_name(int shard_index, int shard_count);

// Names of the parts that have data, in the order in which they are searched: main first, then by
// count and index.
std::vector<std::string> list_parts(const std::filesystem::path& folder);

// A part is being written by another: later it is free.
class StoreBusy : public StoreError {
 public:
  using StoreError::StoreError;
};

// The right to write one part, held until destruction; also freed by the system when the process
// ends. Between processes of one machine, and between machines where the file system's locks are.
class WriterLock {
 public:
  // Throws: StoreError naming the process that holds it.
  WriterLock(const std::filesystem::path& folder, const std::string& part);
  ~WriterLock();
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  int file_ = -1;
};

}  // namespace vmr::store
