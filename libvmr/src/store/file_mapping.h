// A file as memory: a private mapping, so that pages are read when touched and writing to them
// copies the page while the file stays as it is. Thread-safe for reading.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace vmr::store {

class FileMapping {
 public:
  // Throws: StoreError where the file cannot be opened or mapped, or is empty.
  explicit FileMapping(const std::filesystem::path& path);
  ~FileMapping();
  FileMapping(const FileMapping&) = delete;
  FileMapping& operator=(const FileMapping&) = delete;

  char* data() const { return data_; }
  size_t size() const { return size_; }
  std::string_view bytes() const { return {data_, size_}; }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace vmr::store
