// Zip archives of still pictures, one file a film, as the published UT-CMVMR code reads them: the
// bytes of its pictures in their order. What an archive says about itself is not trusted: names
// that lead out of a folder, encrypted members and sizes beyond the limits are refused before
// anything is unpacked, and nothing is written to disk. Stateless, thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace vmr::media {

struct FrameArchiveOptions {
  // Endings of pictures, whatever their case; other members are passed over.
  std::vector<std::string> endings = {".jpg", ".jpeg", ".png"};
  // As published: the order of the archive's directory; false: by name, numbers as numbers, so that
  // 2.jpg comes before 10.jpg.
  bool archive_order = false;
  int64_t max_frames = 30;                         // further ones are not read
  int64_t max_members = 100000;                    // of the archive, pictures or not
  int64_t max_picture_bytes = int64_t{64} << 20;   // unpacked
  int64_t max_archive_bytes = int64_t{512} << 20;  // unpacked, of all pictures read
};

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const FrameArchiveOptions& options);

struct ArchivedPicture {
  std::string name;
  std::string bytes;
};

// Whether the name of a file ends with .zip.
bool is_frame_archive(const std::filesystem::path& path);

// Empty where the archive has no picture.
// Throws: MediaError naming archive, member and fault; InvalidArgument; NotBuilt without libzip.
std::vector<ArchivedPicture> read_frame_archive(const std::filesystem::path& path,
                                                const FrameArchiveOptions& options = {});

}  // namespace vmr::media
