// A media file being written: beside its final name until it is whole. Internal to media.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "media/ffmpeg_handles.h"
#include "media/message_log.h"

namespace vmr::media::detail {

class OutputFile {
 public:
  // The container is chosen by the extension of `path`, `fallback` where FFmpeg knows none.
  // Throws: MediaError.
  OutputFile(const char* function, const std::filesystem::path& path, const char* fallback);
  ~OutputFile();  // removes a file that was not finished
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  AVFormatContext* context() const { return context_; }
  // An encoder this build of FFmpeg must have. `purpose`: "AAC".
  CodecHandle make_encoder(const char* name, const char* purpose) const;
  void open_encoder(AVCodecContext* codec, AVDictionary** options) const;
  AVStream* add_stream();
  // After all streams are added.
  void write_header();
  // Takes the packet's content; its times are in `unit`.
  void write(AVPacket* packet, const AVStream* stream, AVRational unit);
  // Sends a frame (null: no more) and writes what the encoder gives back.
  void encode(AVCodecContext* codec, const AVFrame* frame, const AVStream* stream,
              int64_t packet_duration = 0);
  // Completes the file and gives it its name.
  void finish();

  [[noreturn]] void fail(const std::string& text) const;
  void check(int result, const char* what) const;

 private:
  void discard() noexcept;

  const char* function_;
  std::filesystem::path path_, aside_;
  mutable MessageLog messages_;
  AVFormatContext* context_ = nullptr;
  PacketHandle packet_;
  bool header_written_ = false;
};

// Feeds samples of any block length to an encoder that wants its own.
class AudioEncoder {
 public:
  // bit_rate 0: the encoder's choice. Throws: MediaError.
  AudioEncoder(OutputFile& file, const char* name, const char* purpose, int rate_hz, int channels,
               int64_t bit_rate);

  // `count` samples of each channel; planes[c] points to channel c.
  void add(const std::vector<const float*>& planes, int64_t count);
  void finish();
  int64_t samples() const { return added_; }

 private:
  void encode_block(int64_t count);

  OutputFile& file_;
  CodecHandle codec_;
  AVStream* stream_ = nullptr;
  ResamplerHandle converter_;  // of sample formats only
  std::vector<std::vector<float>> waiting_;
  int64_t block_ = 0, added_ = 0, encoded_ = 0;
};

}  // namespace vmr::media::detail
