#include "vmr/media/decode.h"

#include <algorithm>

#include "media/audio_pass.h"
#include "media/input.h"
#include "media/stream_extent.h"
#include "media/video_pass.h"
#include "vmr/core/error.h"

namespace vmr::media {
namespace detail {
namespace {

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
  if (plan.audio) audio.emplace(input, *plan.audio, AudioSink::Keeps::everything);
  if (wants_video) video.emplace(input, plan, may_skip && VideoPass::may_skip(input, plan));

  StreamExtent video_extent;
  PacketHandle packet = make_packet();
  const auto busy = [&] { return (audio && !audio->full()) || (video && !video->finished()); };
  bool whole = false;
  while (busy()) {
    if (!input.read(packet.get())) {
      whole = true;
      break;
    }
    if (audio && packet->stream_index == input.audio()->index) {
      audio->add(packet.get());
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
    decoded.audio = audio->finish(whole);
    if (whole) audio->extent().compare_with_claim(input, input.audio(), "sound");
  }
  // The container's one length can only be checked against all of its streams.
  if (whole && (audio || !input.audio()) && (video || !input.video()) && input.problems().empty()) {
    double end = 0;
    const StreamExtent sound = audio ? audio->extent() : StreamExtent();
    for (const auto& [extent, stream] :
         {std::pair(sound, input.audio()), std::pair(video_extent, input.video())}) {
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
