#include "core/ascii_lower.h"
#include "vmr/core/error.h"
#include "vmr/media/frame_archive.h"

namespace vmr::media {

void validate(const FrameArchiveOptions& options) {
  for (const auto& [field, value] : {std::pair{"max_frames", options.max_frames},
                                     {"max_members", options.max_members},
                                     {"max_picture_bytes", options.max_picture_bytes},
                                     {"max_archive_bytes", options.max_archive_bytes}}) {
    VMR_CHECK(value >= 1, "FrameArchiveOptions: ", field, " = ", value, ", expected 1 or more");
  }
  VMR_CHECK(!options.endings.empty(), "FrameArchiveOptions: endings is empty");
}

bool is_frame_archive(const std::filesystem::path& path) {
  return vmr::detail::ascii_lower(path.extension().string()) == ".zip";
}

}  // namespace vmr::media
