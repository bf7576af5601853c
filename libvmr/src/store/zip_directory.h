// The directory of a zip archive whose entries are stored without compression, as torch.save
// writes them; zip64 is read, so archives and entries may pass 4 GB. Checksums are handed on and
// not compared: that is for whoever reads an entry's bytes. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace vmr::store {

struct ZipEntry {
  std::string_view bytes;  // within the file
  uint32_t crc32 = 0;      // of the bytes, as the directory says
};

using ZipDirectory = std::map<std::string, ZipEntry, std::less<>>;  // by name

// True where the file begins as an archive does.
bool is_zip(std::string_view file);

// Throws: StoreError "zip directory, at byte N: .."; compressed and encrypted entries, names that
// occur twice, entries outside the file or within each other are refused.
ZipDirectory read_zip_directory(std::string_view file);

}  // namespace vmr::store
