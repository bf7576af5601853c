#include "vmr/media/audio_blocks.h"

#include "media/sound_stream.h"

namespace vmr::media {

std::vector<std::string> read_audio_blocks(const std::filesystem::path& path,
                                           const AudioOptions& options,
                                           const std::function<bool(const at::Tensor&)>& on_block,
                                           std::stop_token stop) {
  validate(options);
  detail::SoundStream stream("read_audio_blocks", path, options, std::move(stop));
  for (at::Tensor block = stream.next(); block.size(1) > 0; block = stream.next()) {
    if (!on_block(block)) break;
  }
  return std::move(stream.problems());
}

}  // namespace vmr::media
