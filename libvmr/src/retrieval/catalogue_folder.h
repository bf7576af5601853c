// The files of a catalogue's folder: which generation is current, what belongs to it, how the next
// one replaces it. Layout: docs/catalogue_format.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "vmr/retrieval/catalogue.h"

namespace vmr::retrieval {

struct SegmentEntry {
  std::string file;
  std::string checksum;
  std::vector<int64_t> removed;  // rows, ascending
};

struct AttachmentEntry {
  std::string hash;  // vmr::hash_file
  std::string checksum;
  uint64_t bytes = 0;
};

// What one generation consists of.
struct GenerationRecord {
  int64_t number = 0;
  Space space;
  std::vector<SegmentEntry> segments;
  std::string attachment_folder;  // relative; "" where there are none
  std::map<std::string, AttachmentEntry> attachments;
};

// Holds the writers' lock of a folder; waits for other writers, in this process or another.
class WriterLock {
 public:
  explicit WriterLock(const std::filesystem::path& folder);  // throws: StoreError
  ~WriterLock();
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  int file_ = -1;
};

std::string generation_file_name(int64_t number);
bool has_catalogue(const std::filesystem::path& folder);
// Name of the current generation's file. Throws: StoreError.
std::string read_current_name(const std::filesystem::path& folder);
// Throws: StoreError naming the damaged file.
GenerationRecord read_current_record(const std::filesystem::path& folder);
// Makes `record` current: its files must be there and synced. The switch is one rename.
void commit_record(const std::filesystem::path& folder, const GenerationRecord& record);
// Removes files that neither record refers to; failures are left for the next time.
void collect_garbage(const std::filesystem::path& folder, const GenerationRecord& current,
                     const GenerationRecord& previous);

// Copies `files` and what `base` has attached into a new folder of generation `number`, synced;
// fills the record's attachment fields. Throws: InvalidArgument, StoreError.
void write_attachments(const std::filesystem::path& folder, const GenerationRecord& base,
                       const std::map<std::string, AttachmentSource>& files,
                       GenerationRecord& record);
// Throws: StoreError where a file is missing or changed; checksums only where `verify`.
void check_attachments(const std::filesystem::path& folder, const GenerationRecord& record,
                       bool verify);

}  // namespace vmr::retrieval
