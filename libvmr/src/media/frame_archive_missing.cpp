#include "vmr/core/error.h"
#include "vmr/media/frame_archive.h"

namespace vmr::media {

std::vector<ArchivedPicture> read_frame_archive(const std::filesystem::path& path,
                                                const FrameArchiveOptions& options) {
  validate(options);
  throw NotBuilt(path.string() +
                 ": built without libzip (VMR_WITH_ZIP=OFF); build with libzip-dev, or unpack the "
                 "archive and make a film of its pictures");
}

}  // namespace vmr::media
