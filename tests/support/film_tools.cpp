// The parts of films.h that need FFmpeg's libraries themselves.

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "media/ffmpeg_handles.h"
#include "media/message_log.h"
#include "support/films.h"
#include "support/synth.h"

extern "C" {
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
}

namespace vmr::test {
namespace {

using namespace media::detail;

void check(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + error_text(result));
}

struct Output {
  explicit Output(const std::filesystem::path& path) {
    check(avformat_alloc_output_context2(&context, nullptr, nullptr, path.c_str()), "format");
    check(avio_open(&context->pb, path.c_str(), AVIO_FLAG_WRITE), "open");
  }
  ~Output() {
    avio_closep(&context->pb);
    avformat_free_context(context);
  }
  AVFormatContext* context = nullptr;
};

}  // namespace

void copy_film(const std::filesystem::path& from, const std::filesystem::path& to,
               const CopyOptions& options) {
  MessageLog log;
  const CollectMessages quiet(log);
  AVFormatContext* in = nullptr;
  check(avformat_open_input(&in, from.c_str(), nullptr, nullptr), "open");
  check(avformat_find_stream_info(in, nullptr), "analyse");
  Output out(to);
  out.context->avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED;
  std::map<int, int> streams;
  for (unsigned i = 0; i < in->nb_streams; ++i) {
    const AVStream* stream = in->streams[i];
    const bool video = stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
    if (video ? !options.video : !options.sound) continue;
    AVStream* copy = avformat_new_stream(out.context, nullptr);
    check(avcodec_parameters_copy(copy->codecpar, stream->codecpar), "parameters");
    copy->codecpar->codec_tag = 0;
    copy->time_base = stream->time_base;
    copy->avg_frame_rate = stream->avg_frame_rate;
    streams[static_cast<int>(i)] = copy->index;
  }
  check(avformat_write_header(out.context, nullptr), "header");
  PacketHandle packet = make_packet();
  while (av_read_frame(in, packet.get()) >= 0) {
    const auto found = streams.find(packet->stream_index);
    const AVStream* stream = in->streams[packet->stream_index];
    const AVRational unit = stream->time_base;
    const double at = static_cast<double>(packet->pts) * av_q2d(unit);
    const bool lost = stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO &&
                      at >= options.drop_sound_from && at < options.drop_sound_to;
    const bool video = stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
    if (found != streams.end() && !lost) {
      if (video && at >= options.spoil_video_from && at < options.spoil_video_to) {
        check(av_packet_make_writable(packet.get()), "packet");
        std::fill(packet->data + packet->size / 2, packet->data + packet->size, uint8_t(0x5a));
      }
      if (options.retime) {
        packet->pts = std::llround(options.retime(video, at) / av_q2d(unit));
        if (!video) packet->dts = packet->pts;
      }
      const auto shift = static_cast<int64_t>(std::llround(options.shift_seconds / av_q2d(unit)));
      packet->pts += shift;
      packet->dts += shift;
      packet->stream_index = found->second;
      av_packet_rescale_ts(packet.get(), unit, out.context->streams[found->second]->time_base);
      check(av_interleaved_write_frame(out.context, packet.get()), "write");
    }
    av_packet_unref(packet.get());
  }
  check(av_write_trailer(out.context), "trailer");
  avformat_close_input(&in);
}

namespace {

using Fill = std::function<void(AVFrame* frame, int64_t number)>;

// Lets `configure` set more of the encoder before it is opened, `fill` the planes of each frame.
void encode_film(const std::filesystem::path& path, int64_t frames, const PlainFilm& film,
                 const std::function<void(AVCodecContext*)>& configure, const Fill& fill) {
  MessageLog log;
  const CollectMessages quiet(log);
  const AVCodec* encoder = avcodec_find_encoder_by_name(film.encoder.c_str());
  if (!encoder) throw std::runtime_error("no encoder " + film.encoder);
  Output out(path);
  CodecHandle codec(avcodec_alloc_context3(encoder));
  codec->width = film.width;
  codec->height = film.height;
  codec->pix_fmt = av_get_pix_fmt(film.pixel_format.c_str());
  codec->framerate = av_d2q(film.fps, 60000);
  codec->time_base = av_inv_q(codec->framerate);
  codec->gop_size = film.key_frame_every;
  codec->thread_count = 1;
  codec->strict_std_compliance = FF_COMPLIANCE_UNOFFICIAL;
  codec->flags |= AV_CODEC_FLAG_QSCALE;
  codec->global_quality = FF_QP2LAMBDA * 2;
  if (out.context->oformat->flags & AVFMT_GLOBALHEADER) {
    codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  }
  configure(codec.get());
  AVDictionary* settings = nullptr;
  check(av_dict_parse_string(&settings, film.settings.c_str(), "=", ";", 0), "settings");
  const int opened = avcodec_open2(codec.get(), encoder, &settings);
  av_dict_free(&settings);
  check(opened, film.encoder.c_str());
  AVStream* stream = avformat_new_stream(out.context, nullptr);
  stream->time_base = codec->time_base;
  stream->avg_frame_rate = codec->framerate;
  check(avcodec_parameters_from_context(stream->codecpar, codec.get()), "parameters");
  check(avformat_write_header(out.context, nullptr), "header");

  PacketHandle packet = make_packet();
  const auto encode = [&](const AVFrame* frame) {
    check(avcodec_send_frame(codec.get(), frame), "encode");
    while (avcodec_receive_packet(codec.get(), packet.get()) >= 0) {
      packet->duration = 1;
      av_packet_rescale_ts(packet.get(), codec->time_base, stream->time_base);
      check(av_interleaved_write_frame(out.context, packet.get()), "write");
    }
  };
  for (int64_t i = 0; i < frames; ++i) {
    FrameHandle frame = make_frame();
    frame->format = codec->pix_fmt;
    frame->width = film.width;
    frame->height = film.height;
    frame->pts = i;
    frame->quality = codec->global_quality;
    check(av_frame_get_buffer(frame.get(), 0), "frame");
    fill(frame.get(), i);
    encode(frame.get());
  }
  encode(nullptr);
  check(av_write_trailer(out.context), "trailer");
}

// Shares of red and blue in the luma: ITU-R BT.709, BT.601, BT.2020, each in section 3.
struct LumaShares {
  double red, blue;
};
LumaShares luma_shares(const std::string& matrix) {
  if (matrix == "bt709") return {0.2126, 0.0722};
  if (matrix == "bt2020nc") return {0.2627, 0.0593};
  return {0.299, 0.114};
}

}  // namespace

void write_plain_film(const std::filesystem::path& path, int64_t frames, const PlainFilm& film) {
  const ScalerHandle scaler(sws_getContext(film.width, film.height, AV_PIX_FMT_RGB24, film.width,
                                           film.height, av_get_pix_fmt(film.pixel_format.c_str()),
                                           SWS_BILINEAR, nullptr, nullptr, nullptr));
  encode_film(
      path, frames, film, [](AVCodecContext*) {},
      [&](AVFrame* frame, int64_t number) {
        const at::Tensor rgb = numbered_frame(number, film.width, film.height);
        const uint8_t* planes[4] = {rgb.const_data_ptr<uint8_t>(), nullptr, nullptr, nullptr};
        const int strides[4] = {film.width * 3, 0, 0, 0};
        sws_scale(scaler.get(), planes, strides, 0, film.height, frame->data, frame->linesize);
      });
}

void write_still_film(const std::filesystem::path& path, const at::Tensor& rgb,
                      const StillFilm& film) {
  const auto [red, blue] = luma_shares(film.matrix);
  const auto fill = [&, red = red, blue = blue](AVFrame* frame, int64_t) {
    const auto* pixel = rgb.const_data_ptr<uint8_t>();
    for (int y = 0; y < frame->height; ++y) {
      for (int x = 0; x < frame->width; ++x, pixel += 3) {
        const double r = pixel[0] / 255.0, g = pixel[1] / 255.0, b = pixel[2] / 255.0;
        const double luma = red * r + (1 - red - blue) * g + blue * b;
        const auto stored = [&](double value, double zero, double limited) {
          const double code = zero + value * (film.full_range ? 255 : limited);
          return static_cast<uint8_t>(std::clamp(std::lround(code), 0l, 255l));
        };
        frame->data[0][y * frame->linesize[0] + x] = stored(luma, film.full_range ? 0 : 16, 219);
        if (x % 2 || y % 2) continue;
        const int row = y / 2, column = x / 2;
        frame->data[1][row * frame->linesize[1] + column] =
            stored((b - luma) / (2 * (1 - blue)), 128, 224);
        frame->data[2][row * frame->linesize[2] + column] =
            stored((r - luma) / (2 * (1 - red)), 128, 224);
      }
    }
  };
  const auto tag = [&](AVCodecContext* codec) {
    if (!film.matrix.empty()) {
      codec->colorspace = static_cast<AVColorSpace>(av_color_space_from_name(film.matrix.c_str()));
    }
    if (film.full_range) codec->color_range = AVCOL_RANGE_JPEG;
  };
  PlainFilm plain{.width = static_cast<int>(rgb.size(1)), .height = static_cast<int>(rgb.size(0))};
  plain.settings = "qp=0";
  encode_film(path, 2, plain, tag, fill);
}

}  // namespace vmr::test
