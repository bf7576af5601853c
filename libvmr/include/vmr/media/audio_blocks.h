// The sound of an audio or film file from beginning to end in blocks, so that its length costs no
// memory: for what works on sound as it comes in (audio/beat_stream.h). The samples are those of
// read_audio, bit for bit. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "vmr/media/audio_reader.h"

namespace vmr::media {

// on_block gets [channels, n] float32, full scale = 1, about a second of it, on the calling thread,
// and returns whether it wants more. Returns what was wrong with the file as far as it was read,
// one sentence each. Throws: MediaError where there is no sound to decode; InvalidArgument; Error
// when stopped.
std::vector<std::string> read_audio_blocks(const std::filesystem::path& path,
                                           const AudioOptions& options,
                                           const std::function<bool(const at::Tensor&)>& on_block,
                                           std::stop_token stop = {});

}  // namespace vmr::media
