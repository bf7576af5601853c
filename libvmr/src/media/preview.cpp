// write_preview: the film's packets as they are, the music as their sound.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "media/input.h"
#include "media/output_file.h"
#include "vmr/core/error.h"
#include "vmr/media/film_writer.h"
#include "vmr/media/probe.h"

namespace vmr::media {
namespace {

using detail::Input;
using detail::OutputFile;

// The music under [0, seconds) of the film, faded: [2, n].
at::Tensor music_for(const std::filesystem::path& music, double seconds, double rate,
                     const PreviewOptions& options) {
  const auto total = static_cast<int64_t>(std::llround(seconds * rate));
  const auto silence = std::min(
      total, static_cast<int64_t>(std::llround(std::max(-options.offset_seconds, 0.0) * rate)));
  at::Tensor result = at::zeros({2, total}, at::kFloat);
  if (total == silence) return result;
  AudioOptions wanted;
  wanted.rate_hz = rate;
  wanted.channels = 2;
  wanted.start_seconds = std::max(options.offset_seconds, 0.0);
  wanted.duration_seconds = static_cast<double>(total - silence) / rate;
  const at::Tensor samples = read_audio(music, wanted).samples;
  const int64_t count = std::min(samples.size(1), total - silence);
  result.narrow(1, silence, count).copy_(samples.narrow(1, 0, count));

  const auto fade = std::min<int64_t>(std::llround(options.fade_seconds * rate), total - silence);
  if (fade > 0) {
    const at::Tensor ramp = (at::arange(fade, at::kFloat) + 0.5f) / static_cast<float>(fade);
    if (options.offset_seconds > 0) result.narrow(1, 0, fade).mul_(ramp);
    if (silence + count == total) result.narrow(1, total - fade, fade).mul_(ramp.flip(0));
  }
  return result;
}

AVStream* copy_video_stream(OutputFile& file, const Input& film) {
  AVStream* stream = file.add_stream();
  file.check(avcodec_parameters_copy(stream->codecpar, film.video()->codecpar), "copying");
  stream->codecpar->codec_tag = 0;  // the container's own
  stream->time_base = film.video()->time_base;
  stream->avg_frame_rate = film.video()->avg_frame_rate;
  stream->sample_aspect_ratio = film.video()->sample_aspect_ratio;
  size_t bytes = 0;
  const uint8_t* matrix = av_stream_get_side_data(film.video(), AV_PKT_DATA_DISPLAYMATRIX, &bytes);
  if (matrix) {
    uint8_t* copy = av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, bytes);
    if (!copy) throw std::bad_alloc();
    std::memcpy(copy, matrix, bytes);
  }
  return stream;
}

}  // namespace

void write_preview(const std::filesystem::path& film_path, const std::filesystem::path& music,
                   const std::filesystem::path& out, const PreviewOptions& options) {
  validate_preview_path(out);
  VMR_CHECK(std::isfinite(options.offset_seconds), "PreviewOptions: offset_seconds is ",
            options.offset_seconds, ", expected finite seconds");
  VMR_CHECK(options.fade_seconds >= 0 && std::isfinite(options.fade_seconds),
            "PreviewOptions: fade_seconds is ", options.fade_seconds, ", expected 0 or more");
  const MediaInfo info = probe(film_path);
  Input film("write_preview", film_path, {});
  if (!info.video || info.video->frames <= 0) film.fail("has no video; give a film");
  const MediaInfo music_info = probe(music, {.scan = false});
  if (!music_info.audio) {
    throw MediaError(vmr::detail::concat("write_preview: ", music.string(),
                                         ": has no sound; give a music file"));
  }
  const double rate = music_info.audio->rate_hz % 48000 == 0 ? 48000 : 44100;
  const double seconds = info.video->start_seconds + info.video->duration_seconds;
  const at::Tensor sound = music_for(music, seconds, rate, options);

  OutputFile file("write_preview", out, "mp4");
  AVStream* stream = copy_video_stream(file, film);
  detail::AudioEncoder encoder(file, "aac", "AAC", static_cast<int>(rate), 2, 192000);
  file.write_header();
  const auto add_sound_until = [&](double end) {
    const int64_t done = encoder.samples();
    const int64_t count = std::clamp<int64_t>(std::llround(end * rate), done, sound.size(1)) - done;
    const float* left = sound.const_data_ptr<float>() + done;
    if (count > 0) encoder.add({left, left + sound.size(1)}, count);
  };
  film.keep_streams(true, false);
  detail::PacketHandle packet = detail::make_packet();
  const AVRational unit = film.video()->time_base;
  // The preview's zero is the film's.
  const auto shift =
      static_cast<int64_t>(std::llround(film.seconds(film.video(), 0) / av_q2d(unit)));
  while (film.read(packet.get())) {
    if (packet->dts != AV_NOPTS_VALUE) add_sound_until(film.seconds(film.video(), packet->dts) + 1);
    if (packet->pts != AV_NOPTS_VALUE) packet->pts += shift;
    if (packet->dts != AV_NOPTS_VALUE) packet->dts += shift;
    file.write(packet.get(), stream, unit);
  }
  add_sound_until(seconds + 1);
  encoder.finish();
  file.finish();
}

}  // namespace vmr::media
