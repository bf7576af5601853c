#include "vmr/media/probe.h"

extern "C" {
#include <libavutil/display.h>
}

#include <algorithm>
#include <cmath>

#include "media/frame_converter.h"
#include "media/input.h"
#include "media/stream_extent.h"
#include "vmr/core/error.h"

namespace vmr::media {
namespace detail {

void StreamExtent::add(const AVPacket* packet) {
  const int64_t pts = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
  if (pts == AV_NOPTS_VALUE || (packet->flags & AV_PKT_FLAG_DISCARD)) return;
  const int64_t end = av_sat_add64(pts, std::max<int64_t>(packet->duration, 0));
  begin_ = count_ == 0 ? pts : std::min(begin_, pts);
  end_ = count_ == 0 ? end : std::max(end_, end);
  ++count_;
}

void StreamExtent::compare_with_claim(Input& input, const AVStream* stream,
                                      const char* what) const {
  const double claimed = input.claimed_seconds(stream);
  const double found =
      count_ == 0 ? 0 : seconds_between({end_, stream->time_base}, {begin_, stream->time_base});
  if (claimed > found + 0.5 && claimed > 1.02 * found) {
    input.note(vmr::detail::concat("the header claims ", claimed, " s of ", what,
                                   ", the file holds ", found, " s; it may be cut short"));
  }
}

void compare_with_container(Input& input, double measured_end_seconds) {
  if (input.context()->duration_estimation_method != AVFMT_DURATION_FROM_STREAM) return;
  const double claimed = static_cast<double>(input.context()->duration) / AV_TIME_BASE;
  if (claimed > measured_end_seconds + 0.5 && claimed > 1.02 * measured_end_seconds) {
    input.note(vmr::detail::concat("the header claims ", claimed, " s, the file holds ",
                                   measured_end_seconds, " s; it may be cut short"));
  }
}

namespace {

double claimed_end(const Input& input, const AVStream* stream, double start) {
  const double own = input.claimed_seconds(stream);
  if (own > 0) return start + own;
  const int64_t whole = input.context()->duration;
  return whole == AV_NOPTS_VALUE ? start : static_cast<double>(whole) / AV_TIME_BASE;
}

double start_of(const Input& input, const AVStream* stream) {
  return stream->start_time == AV_NOPTS_VALUE ? 0 : input.seconds(stream, stream->start_time);
}

VideoStreamInfo describe_video(Input& input) {
  const AVStream* stream = input.video();
  const Orientation orientation = orientation_of(stream);
  VideoStreamInfo info;
  info.index = stream->index;
  info.codec = avcodec_get_name(stream->codecpar->codec_id);
  info.width = stream->codecpar->width;
  info.height = stream->codecpar->height;
  if (orientation.swaps_sides()) std::swap(info.width, info.height);
  info.rotation_degrees = orientation.degrees;
  info.fps = std::max(av_q2d(stream->avg_frame_rate), 0.0);
  if (!std::isfinite(info.fps)) info.fps = 0;
  info.frame_rate = info.fps;
  const AVRational aspect = av_guess_sample_aspect_ratio(input.context(), input.video(), nullptr);
  if (aspect.num > 0 && aspect.den > 0) info.pixel_aspect = av_q2d(aspect);
  info.frames = stream->nb_frames > 0 ? stream->nb_frames : -1;
  info.start_seconds = start_of(input, stream);
  info.duration_seconds = claimed_end(input, stream, info.start_seconds) - info.start_seconds;
  if (!orientation.exact) {
    input.note("the picture is to be turned by no multiple of 90 degrees; the nearest is taken");
  }
  return info;
}

AudioStreamInfo describe_audio(const Input& input) {
  const AVStream* stream = input.audio();
  AudioStreamInfo info;
  info.index = stream->index;
  info.codec = avcodec_get_name(stream->codecpar->codec_id);
  info.rate_hz = stream->codecpar->sample_rate;
  info.channels = stream->codecpar->ch_layout.nb_channels;
  info.start_seconds = start_of(input, stream);
  info.duration_seconds = claimed_end(input, stream, info.start_seconds) - info.start_seconds;
  return info;
}

struct FrameTimes {
  std::vector<double> all, keys;
  int64_t without_time = 0;

  void add(const Input& input, const AVPacket* packet) {
    if (packet->flags & AV_PKT_FLAG_DISCARD) return;
    const int64_t pts = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (pts == AV_NOPTS_VALUE) {
      ++without_time;
      return;
    }
    const double seconds = input.seconds(input.video(), pts);
    all.push_back(seconds);
    if (packet->flags & AV_PKT_FLAG_KEY) keys.push_back(seconds);
  }
};

std::vector<double> gaps_between(const std::vector<double>& times) {
  std::vector<double> gaps;
  for (size_t i = 1; i < times.size(); ++i) gaps.push_back(times[i] - times[i - 1]);
  return gaps;
}

// Requires: some.
double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<long>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Requires: two frames or more.
double frame_rate_of(const AVStream* stream, const std::vector<double>& times) {
  const double tick = av_q2d(stream->time_base);
  const auto declared = {stream->r_frame_rate, stream->avg_frame_rate};
  const double median = median_of(gaps_between(times));
  for (const AVRational rate : declared) {
    // A coarse clock rounds both ends of a frame.
    if (rate.num > 0 && rate.den > 0 &&
        std::abs(1 / av_q2d(rate) - median) < std::min(1.01 * tick, 0.1 * median) + 1e-9) {
      return av_q2d(rate);
    }
  }
  return 1 / median;
}

bool varies(const std::vector<double>& times, double tick) {
  if (times.size() < 3) return false;
  const auto gaps = gaps_between(times);
  const double median = median_of(gaps);
  const double allowed = std::max(0.1 * median, 1.01 * tick);  // a coarse clock must round
  return std::any_of(gaps.begin(), gaps.end(),
                     [&](double gap) { return std::abs(gap - median) > allowed; });
}

void apply_video_scan(Input& input, FrameTimes& times, const StreamExtent& extent,
                      VideoStreamInfo& info) {
  const AVStream* stream = input.video();
  std::sort(times.all.begin(), times.all.end());
  std::sort(times.keys.begin(), times.keys.end());
  const size_t before = times.all.size();
  times.all.erase(std::unique(times.all.begin(), times.all.end()), times.all.end());
  if (times.all.size() != before) {
    input.note(vmr::detail::concat(before - times.all.size(), " frames repeat another's time"));
  }
  if (times.all.empty() && times.without_time > 0 && info.fps > 0) {
    for (int64_t i = 0; i < times.without_time; ++i) {  // a stream without a clock
      times.all.push_back(static_cast<double>(i) / info.fps);
    }
    input.note("the video has no time stamps; its frames are taken as evenly spaced");
  }
  info.frames = static_cast<int64_t>(times.all.size());
  if (times.all.empty()) {
    input.note("the video stream holds no frames");
    info.duration_seconds = 0;
    return;
  }
  info.start_seconds = times.all.front();
  const double typical = info.fps > 0 ? 1 / info.fps : 0.04;
  const double from_packets = extent.count() > 0 ? input.seconds(stream, extent.end()) : 0;
  const double end = from_packets > times.all.back() ? from_packets : times.all.back() + typical;
  info.duration_seconds = end - info.start_seconds;
  info.fps = static_cast<double>(info.frames) / info.duration_seconds;
  if (times.all.size() > 1) info.frame_rate = frame_rate_of(stream, times.all);
  info.variable_rate = varies(times.all, av_q2d(stream->time_base));
  extent.compare_with_claim(input, stream, "video");
  info.frame_seconds = std::move(times.all);
  info.key_frame_seconds = std::move(times.keys);
}

void scan(Input& input, MediaInfo& info) {
  input.keep_streams(true, true);
  StreamExtent video, audio;
  FrameTimes times;
  PacketHandle packet = make_packet();
  while (input.read(packet.get())) {
    if (input.video() && packet->stream_index == input.video()->index) {
      video.add(packet.get());
      times.add(input, packet.get());
    } else {
      audio.add(packet.get());
    }
  }
  if (info.video) apply_video_scan(input, times, video, *info.video);
  if (info.audio) {
    const AVStream* stream = input.audio();
    audio.compare_with_claim(input, stream, "sound");
    if (audio.count() == 0) {
      input.note("the sound stream holds no sound");
      info.audio->duration_seconds = 0;
    } else {
      info.audio->duration_seconds =
          std::max(input.seconds(stream, audio.end()) - info.audio->start_seconds, 0.0);
    }
  }
}

}  // namespace
}  // namespace detail

MediaInfo probe(const std::filesystem::path& path, const ProbeOptions& options) {
  detail::Input input("probe", path, {});
  MediaInfo info;
  info.path = input.name();
  info.format = input.context()->iformat->name;
  if (input.video()) info.video = detail::describe_video(input);
  if (input.audio()) info.audio = detail::describe_audio(input);
  if (!info.video && !info.audio) input.fail("has neither video nor sound; check that it is whole");
  if (options.scan) detail::scan(input, info);
  if (info.video) {
    info.duration_seconds = info.video->start_seconds + info.video->duration_seconds;
  }
  if (info.audio) {
    info.duration_seconds =
        std::max(info.duration_seconds, info.audio->start_seconds + info.audio->duration_seconds);
  }
  if (options.scan && input.problems().empty()) {
    detail::compare_with_container(input, info.duration_seconds);
  }
  info.problems = std::move(input.problems());
  return info;
}

}  // namespace vmr::media
