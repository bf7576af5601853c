// Ownership of FFmpeg's C objects, its error texts, and exact time arithmetic. Internal to media.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include <cstdint>
#include <memory>
#include <string>

namespace vmr::media::detail {

struct FreeCodec {
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
};
struct FreeFrame {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FreeResampler {
  void operator()(SwrContext* resampler) const { swr_free(&resampler); }
};
struct FreeScaler {
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};
using CodecHandle = std::unique_ptr<AVCodecContext, FreeCodec>;
using FrameHandle = std::unique_ptr<AVFrame, FreeFrame>;
using PacketHandle = std::unique_ptr<AVPacket, FreePacket>;
using ResamplerHandle = std::unique_ptr<SwrContext, FreeResampler>;
using ScalerHandle = std::unique_ptr<SwsContext, FreeScaler>;

// Throw std::bad_alloc.
FrameHandle make_frame();
PacketHandle make_packet();

// FFmpeg's sentence for an error code.
std::string error_text(int code);

// A time as a whole number of ticks.
struct Ticks {
  int64_t count = 0;
  AVRational unit = {1, 1};  // seconds
};

// (a - b) in seconds: the exact difference, rounded once.
double seconds_between(Ticks a, Ticks b);

}  // namespace vmr::media::detail
