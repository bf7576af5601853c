// write_preview: the film's packets as they are, the music as their sound.
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "media/input.h"
#include "media/loudness.h"
#include "media/output_file.h"
#include "media/preview_sound.h"
#include "vmr/core/error.h"
#include "vmr/media/film_writer.h"
#include "vmr/media/probe.h"

namespace vmr::media {
namespace {

using detail::Input;
using detail::OutputFile;
using detail::PreviewSound;

constexpr char kFunction[] = "write_preview";
constexpr double kMaxTruePeakDb = -1;  // EBU R 128

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

struct Film {
  double seconds = 0;
  int rate_hz = 0;  // of the sound
  bool has_sound = false;
};

Film look_at(const std::filesystem::path& path, const std::filesystem::path& music) {
  const MediaInfo info = probe(path);
  if (!info.video || info.video->frames <= 0) {
    throw MediaError(
        vmr::detail::concat(kFunction, ": ", path.string(), ": has no video; give a film"));
  }
  const MediaInfo music_info = probe(music, {.scan = false});
  if (!music_info.audio) {
    throw MediaError(
        vmr::detail::concat(kFunction, ": ", music.string(), ": has no sound; give a music file"));
  }
  return {info.video->start_seconds + info.video->duration_seconds,
          music_info.audio->rate_hz % 48000 == 0 ? 48000 : 44100, info.audio.has_value()};
}

// What the loudness asks for and the peaks leave room for. Reads all of the sound.
PreviewSummary measure(PreviewSound& sound, int rate_hz, double target_lufs) {
  detail::LoudnessMeter meter(kFunction, rate_hz, 2);
  for (at::Tensor block = sound.next(rate_hz); block.size(1) > 0; block = sound.next(rate_hz)) {
    meter.add(block);
  }
  meter.finish();
  PreviewSummary summary;
  const auto measured = meter.integrated_lufs();
  if (!measured) return summary;
  const double peak = 20 * std::log10(meter.true_peak());
  const double wanted = target_lufs - *measured;
  summary.gain_db = std::min(wanted, kMaxTruePeakDb - peak);
  summary.loudness_lufs = *measured + summary.gain_db;
  summary.true_peak_dbtp = peak + summary.gain_db;
  summary.held_by_peaks = summary.gain_db < wanted;
  return summary;
}

// The film's packets and the sound beside them, a second ahead.
void write(Input& film, OutputFile& file, const AVStream* stream, detail::AudioEncoder& encoder,
           PreviewSound& sound, const Film& about, double gain_db) {
  const double gain = std::pow(10, gain_db / 20);
  const auto add_sound_until = [&](double end) {
    const auto wanted = std::llround(std::min(end, about.seconds + 1) * about.rate_hz);
    while (encoder.samples() < wanted) {
      const at::Tensor block =
          sound.next(std::min<int64_t>(wanted - encoder.samples(), about.rate_hz));
      const int64_t count = block.size(1);
      if (count == 0) return;
      if (gain != 1) block.mul_(gain);
      const float* left = block.const_data_ptr<float>();
      encoder.add({left, left + count}, count);
    }
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
  add_sound_until(about.seconds + 1);
}

}  // namespace

PreviewSummary write_preview(const std::filesystem::path& film_path,
                             const std::filesystem::path& music, const std::filesystem::path& out,
                             const PreviewOptions& options, std::stop_token stop) {
  validate_preview_path(out);
  validate(options);
  for (const auto& input : {film_path, music}) {
    std::error_code absent;
    VMR_CHECK(!std::filesystem::equivalent(input, out, absent), kFunction, ": ", out.string(),
              " is one of the files it is made of; name another one");
  }
  const Film about = look_at(film_path, music);
  const auto open_sound = [&] {
    return PreviewSound(kFunction, {film_path, music, about.has_sound}, about.rate_hz,
                        about.seconds, options, stop);
  };
  PreviewSummary summary;
  if (options.target_lufs) {
    PreviewSound sound = open_sound();
    summary = measure(sound, about.rate_hz, *options.target_lufs);
  }
  Input film(kFunction, film_path, stop);
  OutputFile file(kFunction, out, "mp4");
  AVStream* stream = copy_video_stream(file, film);
  detail::AudioEncoder encoder(file, "aac", "AAC", about.rate_hz, 2, 192000);
  file.write_header();
  PreviewSound sound = open_sound();
  write(film, file, stream, encoder, sound, about, summary.gain_db);
  encoder.finish();
  file.finish();
  return summary;
}

}  // namespace vmr::media
