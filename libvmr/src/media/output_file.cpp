#include "media/output_file.h"

#include <unistd.h>

#include "vmr/core/error.h"

namespace vmr::media::detail {

OutputFile::OutputFile(const char* function, const std::filesystem::path& path,
                       const char* fallback)
    : function_(function), path_(path), packet_(make_packet()) {
  const CollectMessages collecting(messages_);
  aside_ = path.string() + ".part" + std::to_string(::getpid());
  const AVOutputFormat* format = av_guess_format(nullptr, path.c_str(), nullptr);
  if (!format) format = av_guess_format(fallback, nullptr, nullptr);
  if (!format) fail(std::string("this FFmpeg cannot write ") + fallback);
  const std::string url = "file:" + aside_.string();
  int result = avformat_alloc_output_context2(&context_, format, nullptr, url.c_str());
  if (result >= 0) result = avio_open(&context_->pb, url.c_str(), AVIO_FLAG_WRITE);
  if (result < 0) {
    discard();
    fail("cannot be created: " + error_text(result));
  }
}

OutputFile::~OutputFile() { discard(); }

void OutputFile::discard() noexcept {
  if (!context_) return;
  const CollectMessages collecting(messages_);
  avio_closep(&context_->pb);
  avformat_free_context(context_);
  context_ = nullptr;
  ::unlink(aside_.c_str());
}

void OutputFile::fail(const std::string& text) const {
  throw MediaError(vmr::detail::concat(function_, ": ", path_.string(), ": ", text));
}

void OutputFile::check(int result, const char* what) const {
  if (result < 0) {
    fail(vmr::detail::concat(what, " failed: ", error_text(result), messages_.in_brackets()));
  }
}

CodecHandle OutputFile::make_encoder(const char* name, const char* purpose) const {
  const AVCodec* encoder = avcodec_find_encoder_by_name(name);
  if (!encoder) {
    fail(vmr::detail::concat("this FFmpeg has no ", purpose, " encoder (", name,
                             "); use an FFmpeg built with it, or another extension"));
  }
  CodecHandle codec(avcodec_alloc_context3(encoder));
  if (!codec) throw std::bad_alloc();
  codec->log_level_offset = kSilentLogOffset;
  if (context_->oformat->flags & AVFMT_GLOBALHEADER) codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  return codec;
}

void OutputFile::open_encoder(AVCodecContext* codec, AVDictionary** options) const {
  const CollectMessages collecting(messages_);
  const AVCodec* encoder = codec->codec;  // a failed open forgets it
  const int result = avcodec_open2(codec, encoder, options);
  if (result < 0) {
    fail(vmr::detail::concat("the encoder ", encoder->name, " refuses these settings: ",
                             error_text(result), messages_.in_brackets()));
  }
}

AVStream* OutputFile::add_stream() {
  AVStream* stream = avformat_new_stream(context_, nullptr);
  if (!stream) throw std::bad_alloc();
  return stream;
}

void OutputFile::write_header() {
  const CollectMessages collecting(messages_);
  AVDictionary* options = nullptr;
  av_dict_set(&options, "movflags", "+faststart", 0);  // players start before all is there
  context_->flags |= AVFMT_FLAG_BITEXACT;              // no version text: equal input, equal file
  const int result = avformat_write_header(context_, &options);
  av_dict_free(&options);
  check(result, "writing the header");
  header_written_ = true;
}

void OutputFile::write(AVPacket* packet, const AVStream* stream, AVRational unit) {
  const CollectMessages collecting(messages_);
  packet->stream_index = stream->index;
  packet->pos = -1;
  av_packet_rescale_ts(packet, unit, stream->time_base);
  check(av_interleaved_write_frame(context_, packet), "writing a packet");
}

void OutputFile::encode(AVCodecContext* codec, const AVFrame* frame, const AVStream* stream,
                        int64_t packet_duration) {
  const CollectMessages collecting(messages_);
  check(avcodec_send_frame(codec, frame), "encoding");
  for (;;) {
    const int result = avcodec_receive_packet(codec, packet_.get());
    if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return;
    check(result, "encoding");
    if (packet_duration > 0) packet_->duration = packet_duration;
    write(packet_.get(), stream, codec->time_base);
  }
}

void OutputFile::finish() {
  if (!header_written_) fail("nothing was written to it");
  const CollectMessages collecting(messages_);
  check(av_write_trailer(context_), "writing the end of the file");
  check(avio_closep(&context_->pb), "closing the file");
  avformat_free_context(context_);
  context_ = nullptr;
  std::error_code error;
  std::filesystem::rename(aside_, path_, error);
  if (error) {
    ::unlink(aside_.c_str());
    fail("cannot be given its name: " + error.message());
  }
}

AudioEncoder::AudioEncoder(OutputFile& file, const char* name, const char* purpose, int rate_hz,
                           int channels, int64_t bit_rate)
    : file_(file), codec_(file.make_encoder(name, purpose)), waiting_(size_t(channels)) {
  AVChannelLayout layout{};
  av_channel_layout_default(&layout, channels);
  codec_->sample_rate = rate_hz;
  codec_->ch_layout = layout;
  codec_->time_base = {1, rate_hz};
  codec_->flags |= AV_CODEC_FLAG_BITEXACT;
  codec_->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
  if (bit_rate > 0) codec_->bit_rate = bit_rate;
  // The widest format the encoder takes.
  codec_->sample_fmt = codec_->codec->sample_fmts[0];
  for (const AVSampleFormat* format = codec_->codec->sample_fmts; *format != AV_SAMPLE_FMT_NONE;
       ++format) {
    if (*format == AV_SAMPLE_FMT_FLTP || *format == AV_SAMPLE_FMT_FLT ||
        *format == AV_SAMPLE_FMT_S32) {
      codec_->sample_fmt = *format;
      break;
    }
  }
  if (codec_->sample_fmt == AV_SAMPLE_FMT_S32) codec_->bits_per_raw_sample = 24;
  file.open_encoder(codec_.get(), nullptr);
  stream_ = file.add_stream();
  stream_->time_base = codec_->time_base;
  file.check(avcodec_parameters_from_context(stream_->codecpar, codec_.get()), "encoding");
  block_ = codec_->frame_size > 0 ? codec_->frame_size : 4096;
  SwrContext* converter = nullptr;
  file.check(swr_alloc_set_opts2(&converter, &layout, codec_->sample_fmt, rate_hz, &layout,
                                 AV_SAMPLE_FMT_FLTP, rate_hz, 0, nullptr),
             "converting samples");
  converter_.reset(converter);
  file.check(swr_init(converter), "converting samples");
}

void AudioEncoder::add(const std::vector<const float*>& planes, int64_t count) {
  int64_t done = 0;
  added_ += count;
  while (done < count) {
    const int64_t part = std::min(count - done, block_ - static_cast<int64_t>(waiting_[0].size()));
    for (size_t c = 0; c < waiting_.size(); ++c) {
      waiting_[c].insert(waiting_[c].end(), planes[c] + done, planes[c] + done + part);
    }
    done += part;
    if (static_cast<int64_t>(waiting_[0].size()) == block_) encode_block(block_);
  }
}

void AudioEncoder::encode_block(int64_t count) {
  FrameHandle frame = make_frame();
  frame->nb_samples = static_cast<int>(count);
  frame->format = codec_->sample_fmt;
  frame->sample_rate = codec_->sample_rate;
  frame->pts = encoded_;
  file_.check(av_channel_layout_copy(&frame->ch_layout, &codec_->ch_layout), "encoding");
  file_.check(av_frame_get_buffer(frame.get(), 0), "encoding");
  std::vector<const uint8_t*> from;
  for (const auto& plane : waiting_) from.push_back(reinterpret_cast<const uint8_t*>(plane.data()));
  file_.check(swr_convert(converter_.get(), frame->extended_data, static_cast<int>(count),
                          from.data(), static_cast<int>(count)),
              "converting samples");
  encoded_ += count;
  for (auto& plane : waiting_) plane.clear();
  file_.encode(codec_.get(), frame.get(), stream_);
}

void AudioEncoder::finish() {
  if (!waiting_[0].empty()) encode_block(static_cast<int64_t>(waiting_[0].size()));
  file_.encode(codec_.get(), nullptr, stream_);
}

}  // namespace vmr::media::detail
