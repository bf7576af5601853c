// What a media file holds, as found in its packets and not as its header claims: streams, exact
// duration, the time of every frame, key frames, and what is wrong with it. Nothing is decoded.
// Times are seconds on the file's one clock, whose zero is the first presented sample of the file
// (the earlier of first frame and first sound sample, encoder delay and edit lists honoured).
// Thread-safe; files are independent.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vmr::media {

struct VideoStreamInfo {
  int index = -1;     // of the stream in the file
  std::string codec;  // "h264"
  int width = 0;      // pixels, after rotation
  int height = 0;     // pixels, after rotation
  double fps = 0;     // average: frames / duration
  // Frames/s while frames follow each other evenly: what the stream declares where the median frame
  // lasts as long, else of the median frame. 0: unknown. 25 in a film cut in front of a key frame,
  // whose first frame lasts longer and whose average is 24.98.
  double frame_rate = 0;
  int rotation_degrees = 0;     // clockwise turn a player applies: 0, 90, 180, 270
  double pixel_aspect = 1;      // width / height of a stored pixel
  double start_seconds = 0;     // first frame
  double duration_seconds = 0;  // from the first frame to the end of the last
  int64_t frames = -1;          // counted when scanned, else the container's claim; -1 unknown
  bool variable_rate = false;   // some frame lasts over 10 % longer or shorter than the median
  // Only when scanned, in the order of presentation.
  std::vector<double> frame_seconds;
  std::vector<double> key_frame_seconds;
};

struct AudioStreamInfo {
  int index = -1;
  std::string codec;  // "aac"
  int rate_hz = 0;
  int channels = 0;
  double start_seconds = 0;
  double duration_seconds = 0;
};

struct MediaInfo {
  std::string path;
  std::string format;           // "mov,mp4,m4a,3gp,3g2,mj2"
  double duration_seconds = 0;  // to the end of the last frame or sample; exact when scanned
  std::optional<VideoStreamInfo> video;  // cover pictures do not count
  std::optional<AudioStreamInfo> audio;
  std::vector<std::string> problems;  // one sentence each, empty for a sound file
};

struct ProbeOptions {
  bool scan = true;  // read all packets; false trusts the header, which may lie
};

// Throws: MediaError where the file cannot be opened or holds neither video nor audio.
MediaInfo probe(const std::filesystem::path& path, const ProbeOptions& options = {});

// libvmr reads FFmpeg's messages (they become `problems` and error texts) through av_log's one
// callback a process, set at the first call; messages of other threads go to FFmpeg's default
// callback. A program with a callback of its own calls this before anything else in libvmr, or
// sets its callback after the first call. Messages are lost to libvmr then, nothing else.
void leave_ffmpeg_log_alone();

}  // namespace vmr::media
