#include "media/audio_pass.h"

#include <cmath>

#include "vmr/core/error.h"

namespace vmr::media::detail {

AudioPass::AudioPass(Input& input, const AudioOptions& options, AudioSink::Keeps keeps)
    : input_(input),
      codec_(open_decoder(input, input.audio(), 1, false)),
      frame_(make_frame()),
      sink_(input, options, keeps) {}

void AudioPass::add(const AVPacket* packet) {
  extent_.add(packet);
  if (!full()) decode(packet);
}

void AudioPass::decode(const AVPacket* packet) {
  const int result = avcodec_send_packet(codec_.get(), packet);
  if (result < 0 && result != AVERROR_EOF) ++undecodable_;
  for (;;) {
    const int received = avcodec_receive_frame(codec_.get(), frame_.get());
    if (received == AVERROR(EAGAIN) || received == AVERROR_EOF) return;
    if (received < 0) {
      ++undecodable_;
      return;
    }
    const double seconds =
        frame_->pts == AV_NOPTS_VALUE ? NAN : input_.seconds(input_.audio(), frame_->pts);
    sink_.add(frame_.get(), seconds);
  }
}

Audio AudioPass::finish(bool whole) {
  if (!full()) decode(nullptr);
  if (undecodable_ > 0) {
    input_.note(vmr::detail::concat(undecodable_, " audio packets could not be decoded",
                                    input_.messages().in_brackets()));
  }
  // MP4 alone says how much of the last packet is sound; elsewhere decoders cut the padding.
  const bool exact_end = whole && input_.is_mp4() && extent_.count() > 0;
  return sink_.finish(exact_end ? input_.seconds(input_.audio(), extent_.end()) : -1);
}

}  // namespace vmr::media::detail
