// The parts of films.h that need FFmpeg's libraries themselves.

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
    if (found != streams.end() && !lost) {
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

void write_plain_film(const std::filesystem::path& path, int64_t frames, const PlainFilm& film) {
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

  ScalerHandle scaler(sws_getContext(film.width, film.height, AV_PIX_FMT_RGB24, film.width,
                                     film.height, codec->pix_fmt, SWS_BILINEAR, nullptr, nullptr,
                                     nullptr));
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
    const at::Tensor rgb = numbered_frame(i, film.width, film.height);
    FrameHandle frame = make_frame();
    frame->format = codec->pix_fmt;
    frame->width = film.width;
    frame->height = film.height;
    frame->pts = i;
    frame->quality = codec->global_quality;
    check(av_frame_get_buffer(frame.get(), 0), "frame");
    const uint8_t* planes[4] = {rgb.const_data_ptr<uint8_t>(), nullptr, nullptr, nullptr};
    const int strides[4] = {film.width * 3, 0, 0, 0};
    sws_scale(scaler.get(), planes, strides, 0, film.height, frame->data, frame->linesize);
    encode(frame.get());
  }
  encode(nullptr);
  check(av_write_trailer(out.context), "trailer");
}

}  // namespace vmr::test
