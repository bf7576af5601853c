// An opened media file: its one video and one audio stream, its clock, its packets. Internal.
//
// The file is read through our own functions: they see the stop token and a deadline, they make the
// name irrelevant (any bytes), and nothing a file refers to (playlists, other files, addresses) is
// ever opened.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "media/ffmpeg_handles.h"
#include "media/message_log.h"

namespace vmr::media::detail {

// A local variable of the call that reads (it collects this thread's messages while alive).
class Input {
 public:
  // `function` is named in errors. Throws: MediaError, Error when stopped.
  Input(const char* function, const std::filesystem::path& path, std::stop_token stop);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  AVFormatContext* context() const { return context_; }
  AVStream* video() const { return video_; }  // null where there is none; never a cover picture
  AVStream* audio() const { return audio_; }
  const std::string& name() const { return name_; }  // for messages
  bool is_mp4() const;

  // Packets of other streams are not read from now on.
  void keep_streams(bool video, bool audio);
  // The next packet of a kept stream; false at the end. A read error is an end with a problem.
  // Throws: Error when stopped, MediaError when the file makes no progress.
  bool read(AVPacket* packet);

  // Seconds on the file's clock. A packet or frame time of the given stream.
  double seconds(const AVStream* stream, int64_t pts) const;
  // What the header claims about a stream, 0 where it claims nothing.
  double claimed_seconds(const AVStream* stream) const;

  void note(std::string problem);
  std::vector<std::string>& problems() { return problems_; }
  MessageLog& messages() { return messages_; }

  [[noreturn]] void fail(const std::string& text) const;

 private:
  static int read_bytes(void* opaque, uint8_t* buffer, int size);
  static int64_t seek_bytes(void* opaque, int64_t offset, int whence);
  static int interrupted(void* opaque);
  void open_file();
  void open_container();
  void pick_streams();
  void close();
  void restart_watchdog();
  void throw_if_stopped() const;

  const char* function_;
  std::filesystem::path path_;
  std::string name_;
  std::stop_token stop_;
  MessageLog messages_;
  CollectMessages collecting_{messages_};
  std::chrono::steady_clock::time_point deadline_;
  int file_ = -1;
  int64_t file_bytes_ = 0;
  int64_t packet_bytes_ = 0;
  AVIOContext* io_ = nullptr;
  AVFormatContext* context_ = nullptr;
  AVStream* video_ = nullptr;
  AVStream* audio_ = nullptr;
  Ticks origin_;
  std::vector<std::string> problems_;
};

// An opened decoder for a stream. Throws: MediaError naming the codec.
CodecHandle open_decoder(const Input& input, const AVStream* stream, int threads,
                         bool motion_vectors);

}  // namespace vmr::media::detail
