// The directory of a zip archive whose entries are stored without compression, as torch.save
// writes them; zip64 is read, so archives and entries may pass 4 GB. Checksums are not compared:
// torch.save can leave them out, and a reader would have to touch all weights. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace vmr::store {

// Name of an entry -> its bytes within the file.
using ZipDirectory = std::map<std::string, std::string_view, std::less<>>;

// True where the file begins as an archive does.
bool is_zip(std::string_view file);

// Throws: StoreError "zip directory, at byte N: .."; compressed and encrypted entries, names that
// occur twice, entries outside the file or within each other are refused.
ZipDirectory read_zip_directory(std::string_view file);

}  // namespace vmr::store
