#include "vmr/media/decode.h"

#include <algorithm>
#include <cmath>

#include "media/audio_sink.h"
#include "media/input.h"
#include "media/stream_extent.h"
#include "media/video_pass.h"
#include "vmr/core/error.h"

namespace vmr::media {
namespace detail {
namespace {

class AudioPass {
 public:
  AudioPass(Input& input, const AudioOptions& options)
      : input_(input),
        codec_(open_decoder(input, input.audio(), 1, false)),
        frame_(make_frame()),
        sink_(input, options) {}

  void add(const AVPacket* packet) {
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
  bool full() const { return sink_.full(); }

  Audio finish(double end_seconds) {
    if (!full()) add(nullptr);
    if (undecodable_ > 0) {
      input_.note(vmr::detail::concat(undecodable_, " audio packets could not be decoded",
                                      input_.messages().in_brackets()));
    }
    return sink_.finish(end_seconds);
  }

 private:
  Input& input_;
  CodecHandle codec_;
  FrameHandle frame_;
  AudioSink sink_;
  int64_t undecodable_ = 0;
};

constexpr char kNothing[] = "has neither video nor sound; check that it is whole";

void check_streams(const Input& input, const DecodePlan& plan) {
  const bool frames = !plan.frame_jobs.empty() || plan.motion_vectors;
  if (frames && !input.video()) {
    input.fail(input.audio() ? "has no video stream, only sound; ask for its sound or give a film"
                             : kNothing);
  }
  if (plan.audio && !input.audio()) {
    input.fail(input.video() ? "has no sound, only video; ask for its frames or give a file with "
                               "sound"
                             : kNothing);
  }
}

Decoded run(const std::filesystem::path& path, const DecodePlan& plan, std::stop_token stop,
            bool may_skip) {
  Input input("decode", path, std::move(stop));
  check_streams(input, plan);
  const bool wants_video = !plan.frame_jobs.empty() || plan.motion_vectors;
  input.keep_streams(wants_video, plan.audio.has_value());
  std::optional<AudioPass> audio;
  std::optional<VideoPass> video;
  if (plan.audio) audio.emplace(input, *plan.audio);
  if (wants_video) video.emplace(input, plan, may_skip && VideoPass::may_skip(input, plan));

  StreamExtent audio_extent, video_extent;
  PacketHandle packet = make_packet();
  const auto busy = [&] { return (audio && !audio->full()) || (video && !video->finished()); };
  bool whole = false;
  while (busy()) {
    if (!input.read(packet.get())) {
      whole = true;
      break;
    }
    if (audio && packet->stream_index == input.audio()->index) {
      audio_extent.add(packet.get());
      if (!audio->full()) audio->add(packet.get());
    } else if (video && packet->stream_index == input.video()->index) {
      video_extent.add(packet.get());
      if (!video->finished()) video->add(packet.get());
    }
  }
  Decoded decoded;
  if (video) {
    if (whole && !video->finished()) video->end();
    video->collect(decoded);
    if (whole) video_extent.compare_with_claim(input, input.video(), "video");
  }
  if (audio) {
    // MP4 alone says how much of the last packet is sound; elsewhere decoders cut the padding.
    const bool exact_end = whole && input.is_mp4() && audio_extent.count() > 0;
    const double end = exact_end ? input.seconds(input.audio(), audio_extent.end()) : -1;
    decoded.audio = audio->finish(end);
    if (whole) audio_extent.compare_with_claim(input, input.audio(), "sound");
  }
  // The container's one length can only be checked against all of its streams.
  if (whole && (audio || !input.audio()) && (video || !input.video()) && input.problems().empty()) {
    double end = 0;
    for (const auto& [extent, stream] :
         {std::pair(audio_extent, input.audio()), std::pair(video_extent, input.video())}) {
      if (extent.count() > 0) end = std::max(end, input.seconds(stream, extent.end()));
    }
    detail::compare_with_container(input, end);
  }
  // Concealed damage leaves no other trace than what the decoder said.
  if (input.problems().empty() && !input.messages().in_brackets().empty()) {
    input.note("the file is damaged" + input.messages().in_brackets());
  }
  decoded.problems = std::move(input.problems());
  return decoded;
}

}  // namespace
}  // namespace detail

Decoded decode(const std::filesystem::path& path, const DecodePlan& plan, std::stop_token stop) {
  validate(plan);
  try {
    return detail::run(path, plan, stop, true);
  } catch (const detail::NeedsFullDecode&) {
    if (plan.on_restart) plan.on_restart();
    return detail::run(path, plan, stop, false);
  }
}

}  // namespace vmr::media
