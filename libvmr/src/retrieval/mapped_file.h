// A file mapped for reading; the mapping outlives the file's removal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace vmr::retrieval {

class MappedFile {
 public:
  // Throws: StoreError with the system's reason.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::byte* data() const { return data_; }
  uint64_t size() const { return size_; }

 private:
  const std::byte* data_ = nullptr;
  uint64_t size_ = 0;
};

// A 64-bit checksum at the speed of memory, as 16 hexadecimal digits: four lanes of
// xor-multiply-rotate over little-endian words, so that any change of one word changes it. Not a
// content hash.
std::string checksum_of(const std::byte* data, uint64_t size);

}  // namespace vmr::retrieval
