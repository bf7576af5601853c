#include "vmr/media/film_writer.h"

extern "C" {
#include <libavutil/display.h>
}

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <tuple>

#include "media/input.h"
#include "media/output_file.h"
#include "vmr/core/error.h"
#include "vmr/media/probe.h"

namespace vmr::media {
namespace {

using detail::OutputFile;

std::vector<const float*> channel_pointers(const at::Tensor& samples) {
  std::vector<const float*> planes;
  for (int64_t c = 0; c < samples.size(0); ++c) {
    planes.push_back(samples.const_data_ptr<float>() + c * samples.size(1));
  }
  return planes;
}

void check_samples(const char* function, const at::Tensor& samples, int64_t channels) {
  VMR_CHECK(samples.defined() && samples.dim() == 2 && samples.scalar_type() == at::kFloat &&
                samples.device().is_cpu() && (channels < 0 || samples.size(0) == channels) &&
                samples.size(0) >= 1 && samples.size(0) <= 8,
            function, ": expected samples [", channels < 0 ? "1 to 8" : std::to_string(channels),
            ", n] float32 on the CPU, got ", samples.sizes(), " ", samples.scalar_type());
}

// Ticks that hold a constant rate exactly and are no longer than 1/90000 s.
AVRational tick_for(AVRational fps) {
  const int factor = std::max(1, (90000 + fps.num - 1) / fps.num);
  return {1, fps.num * factor};
}

void set_rotation(AVStream* stream, int degrees) {
  if (degrees == 0) return;
  auto* matrix = reinterpret_cast<int32_t*>(
      av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, 9 * sizeof(int32_t)));
  if (!matrix) throw std::bad_alloc();
  av_display_rotation_set(matrix, degrees);  // clockwise, unlike av_display_rotation_get
}

}  // namespace

struct FilmWriter::Impl {
  Impl(const std::filesystem::path& path, const FilmWriterOptions& options)
      : options(options), file("FilmWriter", path, "mp4"), fps(av_d2q(options.fps, 60000)) {
    if (options.channels > 0) {
      audio.emplace(file, "aac", "AAC", static_cast<int>(options.rate_hz), options.channels,
                    64000 * int64_t(options.channels));
    }
    open_video();
    set_rotation(stream, options.rotation_degrees);
    file.write_header();
  }

  void open_video() {
    codec = file.make_encoder("libx264", "H.264");
    codec->width = options.width;
    codec->height = options.height;
    codec->pix_fmt = AV_PIX_FMT_YUV420P;
    codec->time_base = tick_for(fps);
    codec->framerate = fps;
    codec->colorspace = AVCOL_SPC_BT709;
    codec->color_primaries = AVCOL_PRI_BT709;
    codec->color_trc = AVCOL_TRC_BT709;
    codec->color_range = AVCOL_RANGE_MPEG;
    codec->thread_count = options.threads;
    codec->flags |= AV_CODEC_FLAG_BITEXACT;
    if (options.key_frame_every > 0) codec->gop_size = options.key_frame_every;
    if (options.b_frames >= 0) codec->max_b_frames = options.b_frames;
    AVDictionary* settings = nullptr;
    av_dict_set(&settings, "preset", options.preset.c_str(), 0);
    av_dict_set_int(&settings, "crf", options.crf, 0);
    if (options.key_frame_every > 0) av_dict_set(&settings, "sc_threshold", "0", 0);
    try {
      file.open_encoder(codec.get(), &settings);
    } catch (...) {
      av_dict_free(&settings);
      throw;
    }
    av_dict_free(&settings);
    stream = file.add_stream();
    stream->time_base = codec->time_base;
    stream->avg_frame_rate = fps;
    file.check(avcodec_parameters_from_context(stream->codecpar, codec.get()), "encoding");
    scaler.reset(sws_getContext(options.width, options.height, AV_PIX_FMT_RGB24, options.width,
                                options.height, AV_PIX_FMT_YUV420P, SWS_BILINEAR | SWS_ACCURATE_RND,
                                nullptr, nullptr, nullptr));
    if (!scaler) file.fail("no conversion from RGB");
    const int* matrix = sws_getCoefficients(SWS_CS_ITU709);
    sws_setColorspaceDetails(scaler.get(), matrix, 1, matrix, 0, 0, 1 << 16, 1 << 16);
  }

  int64_t frame_ticks() const { return int64_t(fps.den) * codec->time_base.den / fps.num; }

  void add(const at::Tensor& rgb, int64_t pts) {
    VMR_CHECK(rgb.defined() && rgb.dim() == 3 && rgb.size(0) == options.height &&
                  rgb.size(1) == options.width && rgb.size(2) == 3 &&
                  rgb.scalar_type() == at::kByte && rgb.device().is_cpu(),
              "FilmWriter: expected a frame [", options.height, ", ", options.width,
              ", 3] uint8 on the CPU, got ", rgb.sizes(), " ", rgb.scalar_type());
    VMR_CHECK(!finished, "FilmWriter: add_frame after finish");
    VMR_CHECK(frames == 0 || pts > last_pts, "FilmWriter: frame ", frames, " at ",
              static_cast<double>(pts) * av_q2d(codec->time_base),
              " s is not later than the frame before");
    const at::Tensor dense = rgb.contiguous();
    detail::FrameHandle frame = detail::make_frame();
    frame->format = AV_PIX_FMT_YUV420P;
    frame->width = options.width;
    frame->height = options.height;
    frame->pts = pts;
    frame->pkt_duration = frame_ticks();
    file.check(av_frame_get_buffer(frame.get(), 0), "encoding");
    const uint8_t* from[4] = {dense.const_data_ptr<uint8_t>(), nullptr, nullptr, nullptr};
    const int strides[4] = {options.width * 3, 0, 0, 0};
    sws_scale(scaler.get(), from, strides, 0, options.height, frame->data, frame->linesize);
    file.encode(codec.get(), frame.get(), stream, frame_ticks());
    last_pts = pts;
    ++frames;
  }

  const FilmWriterOptions options;
  OutputFile file;
  AVRational fps;
  std::optional<detail::AudioEncoder> audio;
  detail::CodecHandle codec;
  AVStream* stream = nullptr;
  detail::ScalerHandle scaler;
  int64_t frames = 0, last_pts = 0;
  bool finished = false;
};

FilmWriter::FilmWriter(const std::filesystem::path& path, const FilmWriterOptions& options) {
  validate(options);
  impl_ = std::make_unique<Impl>(path, options);
}
FilmWriter::~FilmWriter() = default;
FilmWriter::FilmWriter(FilmWriter&&) noexcept = default;
FilmWriter& FilmWriter::operator=(FilmWriter&&) noexcept = default;

void FilmWriter::add_frame(const at::Tensor& rgb) {
  impl_->add(rgb, impl_->frames * impl_->frame_ticks());
}

void FilmWriter::add_frame(const at::Tensor& rgb, double seconds) {
  VMR_CHECK(std::isfinite(seconds) && seconds >= 0, "FilmWriter: frame time is ", seconds,
            ", expected 0 or more seconds");
  impl_->add(rgb, std::llround(seconds / av_q2d(impl_->codec->time_base)));
}

void FilmWriter::add_audio(const at::Tensor& samples) {
  VMR_CHECK(impl_->audio && !impl_->finished,
            "FilmWriter: add_audio to a film without sound or after finish; set channels");
  check_samples("FilmWriter: add_audio", samples, impl_->options.channels);
  impl_->audio->add(channel_pointers(samples.contiguous()), samples.size(1));
}

void FilmWriter::finish() {
  VMR_CHECK(!impl_->finished, "FilmWriter: finish called twice");
  impl_->finished = true;
  if (impl_->frames == 0) impl_->file.fail("no frame was added; add at least one");
  impl_->file.encode(impl_->codec.get(), nullptr, impl_->stream, impl_->frame_ticks());
  if (impl_->audio) impl_->audio->finish();
  impl_->file.finish();
}

void write_audio(const std::filesystem::path& path, const Audio& audio) {
  check_samples("write_audio", audio.samples, -1);
  VMR_CHECK(audio.rate_hz >= 1 && audio.rate_hz == std::floor(audio.rate_hz),
            "write_audio: rate_hz is ", audio.rate_hz, ", expected a whole number");
  const std::string extension = path.extension().string();
  struct Kind {
    const char *extension, *encoder, *purpose;
    int64_t bit_rate;  // a channel
  };
  static constexpr Kind kinds[] = {{".wav", "pcm_f32le", "PCM", 0},
                                   {".flac", "flac", "FLAC", 0},
                                   {".m4a", "aac", "AAC", 80000},
                                   {".mp3", "libmp3lame", "MP3", 80000},
                                   {".ogg", "libvorbis", "Vorbis", 0}};
  const auto* kind = std::find_if(std::begin(kinds), std::end(kinds),
                                  [&](const Kind& k) { return extension == k.extension; });
  VMR_CHECK(kind != std::end(kinds), "write_audio: ", path.string(), ": extension is \"", extension,
            "\", expected .wav, .flac, .m4a, .mp3 or .ogg");
  VMR_CHECK(audio.rate_hz >= 1 && audio.rate_hz <= 768000, "write_audio: ", path.string(),
            ": rate_hz is ", audio.rate_hz, ", expected 1 to 768000");
  OutputFile file("write_audio", path, "wav");
  detail::AudioEncoder encoder(file, kind->encoder, kind->purpose, static_cast<int>(audio.rate_hz),
                               static_cast<int>(audio.samples.size(0)),
                               kind->bit_rate * audio.samples.size(0));
  file.write_header();
  const at::Tensor dense = audio.samples.contiguous();
  encoder.add(channel_pointers(dense), dense.size(1));
  encoder.finish();
  file.finish();
}

}  // namespace vmr::media
