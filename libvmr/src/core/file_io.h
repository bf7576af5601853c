// Writing files so that a crash leaves the old file or the new one, never half of one.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace vmr::detail {

// Writes `bytes` to a temporary file beside `path`, fsyncs it, renames it over `path`, fsyncs the
// folder. Throws: StoreError with the system's reason; the old file is untouched then.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

// Fills a new folder beside `path` and renames it over `path`, whatever was there before.
void replace_folder(const std::filesystem::path& path,
                    const std::function<void(const std::filesystem::path& aside)>& fill);

// fsync of a file or folder. Throws: StoreError.
void sync_path(const std::filesystem::path& path);

// The whole file. Throws: StoreError.
std::string read_file(const std::filesystem::path& path);

}  // namespace vmr::detail
