// Writing files so that a crash leaves the old file or the new one, never half of one.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace vmr::detail {

// Writes `bytes` to a temporary file beside `path`, fsyncs it, renames it over `path`, fsyncs the
// folder. Throws: StoreError with the system's reason; the old file is untouched then.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

// fsync of a file or folder. Throws: StoreError.
void sync_path(const std::filesystem::path& path);

// The whole file. Throws: StoreError.
std::string read_file(const std::filesystem::path& path);

}  // namespace vmr::detail
