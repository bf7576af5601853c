// Segment: an immutable file of tracks: vectors, ids, metadata texts and the order of the ids, all
// used from the mapped file. Layout: docs/catalogue_format.md. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "retrieval/mapped_file.h"
#include "vmr/retrieval/bitmap.h"
#include "vmr/retrieval/catalogue.h"

namespace vmr::retrieval {

// A track as it goes into a segment; the views belong to somebody else.
struct SegmentRow {
  const float* vectors;  // vectors * dim floats
  std::string_view id;
  std::string_view metadata;  // JSON text of an object
};

class Segment {
 public:
  // Writes and fsyncs a new file. Throws: StoreError.
  static void write(const std::filesystem::path& path, const Space& space,
                    std::span<const SegmentRow> rows);

  // Checks every offset, so that no read leaves the file. Throws: StoreError.
  Segment(const std::filesystem::path& path, const Space& space);

  const std::string& name() const { return name_; }
  int64_t rows() const { return rows_; }
  uint64_t file_bytes() const { return file_.size(); }
  const float* vectors() const { return vectors_; }
  std::string checksum() const { return checksum_of(file_.data(), file_.size()); }

  SegmentRow row(int64_t index) const;
  std::string_view id(int64_t index) const { return text(id_ends_, ids_, index); }
  nlohmann::json metadata(int64_t index) const;  // throws: StoreError
  std::optional<int64_t> find(std::string_view id) const;
  // Clears the bits [first, first + rows) of items whose metadata does not match.
  void keep_matching(const Filter& filter, int64_t first, Bitmap& allowed) const;

 private:
  using Column = std::vector<nlohmann::json>;  // one field of all rows; discarded where absent

  std::string_view text(const uint64_t* ends, const char* bytes, int64_t index) const;
  // Parsed once per field, and kept: a filter with other limits costs no parsing.
  std::vector<std::shared_ptr<const Column>> columns(const Filter& filter) const;
  [[noreturn]] void fail_damaged(const std::string& what) const;

  const std::filesystem::path path_;
  const std::string name_;
  const MappedFile file_;
  int64_t rows_ = 0;
  int64_t length_ = 0;  // vectors * dim
  const float* vectors_ = nullptr;
  const uint64_t *id_ends_ = nullptr, *metadata_ends_ = nullptr;
  const uint32_t* order_ = nullptr;  // rows in ascending order of id
  const char *ids_ = nullptr, *metadata_ = nullptr;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::shared_ptr<const Column>> columns_;  // under mutex_
};

}  // namespace vmr::retrieval
