// A file's sound from beginning to end in blocks, so that its length costs no memory. The samples
// are those of read_audio. Internal to media.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "media/audio_pass.h"

namespace vmr::media::detail {

// A local variable or a member of one, as Input.
class SoundStream {
 public:
  // `function` is named in errors. Throws: MediaError where there is no sound.
  SoundStream(const char* function, const std::filesystem::path& path, const AudioOptions& options,
              std::stop_token stop);

  // The next samples [channels, n] float32, about a second; n = 0 after the last. Throws: Error
  // when stopped, MediaError where nothing can be decoded.
  at::Tensor next();
  // As Decoded's, as far as the file was read.
  std::vector<std::string>& problems() { return input_.problems(); }

 private:
  at::Tensor end(bool whole);

  Input input_;
  PacketHandle packet_;
  AudioPass pass_;
  int64_t block_;  // samples
  bool ended_ = false;
};

}  // namespace vmr::media::detail
