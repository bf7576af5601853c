#include "media/sound_stream.h"

#include <ATen/ops/empty.h>

#include <cmath>

namespace vmr::media::detail {
namespace {

Input& with_sound(Input& input) {
  if (!input.audio()) input.fail("has no sound; give a file with sound");
  input.keep_streams(false, true);
  return input;
}

}  // namespace

SoundStream::SoundStream(const char* function, const std::filesystem::path& path,
                         const AudioOptions& options, std::stop_token stop)
    : input_(function, path, std::move(stop)),
      packet_(make_packet()),
      pass_(with_sound(input_), options, AudioSink::Keeps::what_is_not_taken),
      block_(std::llround(options.rate_hz > 0 ? options.rate_hz : 48000)) {}

at::Tensor SoundStream::next() {
  while (!ended_) {
    if (pass_.full()) return end(false);
    if (!input_.read(packet_.get())) return end(true);
    pass_.add(packet_.get());
    // Blocks of a second, and a second kept back, which holds any padding.
    if (pass_.collected() < 2 * block_) continue;
    return pass_.take(block_);
  }
  return at::empty({0, 0}, at::kFloat);
}

at::Tensor SoundStream::end(bool whole) {
  ended_ = true;
  const at::Tensor rest = pass_.finish(whole).samples;
  if (whole) pass_.extent().compare_with_claim(input_, input_.audio(), "sound");
  // Concealed damage leaves no other trace than what the decoder said.
  if (input_.problems().empty() && !input_.messages().in_brackets().empty()) {
    input_.note("the file is damaged" + input_.messages().in_brackets());
  }
  return rest;
}

}  // namespace vmr::media::detail
