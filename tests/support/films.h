// Small films and audio files with known truth, made when a test asks for them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "vmr/media/film_writer.h"

namespace vmr::test {

// Frames numbered 0, 1, ... (numbered_frame) at options.fps, 128 x 64 where options give no size,
// with a 440 Hz tone of the film's length where options have sound.
void write_numbered_film(const std::filesystem::path& path, int64_t frames,
                         media::FilmWriterOptions options = {.channels = 0});
// The same with frame i at times[i]: variable rate, late start.
void write_timed_film(const std::filesystem::path& path, const std::vector<double>& times,
                      media::FilmWriterOptions options = {.channels = 0});
// A square that moves by (dx, dy) pixels a frame (synth.h), with a click track.
void write_square_film(const std::filesystem::path& path, int64_t frames, double dx, double dy,
                       double bpm = 120);

// Copies packets into another container (by extension: .mkv, .ts, .mov, .avi ...).
struct CopyOptions {
  double shift_seconds = 0;  // added to all times
  bool video = true, sound = true;
  double drop_sound_from = 0, drop_sound_to = 0;    // packets of sound that get lost
  double spoil_video_from = 0, spoil_video_to = 0;  // packets of video with a wrong second half
  // Where given: the time a packet gets that is shown at `seconds`. The order of packets stays.
  std::function<double(bool video, double seconds)> retime;
};
void copy_film(const std::filesystem::path& from, const std::filesystem::path& to,
               const CopyOptions& options = {});

// Numbered frames through any encoder and pixel format of FFmpeg, no sound.
struct PlainFilm {
  std::string encoder = "libx264";
  std::string pixel_format = "yuv420p";
  int width = 128, height = 64;
  double fps = 25;
  int key_frame_every = 12;
  std::string settings;  // "x264-params=open-gop=1:preset=fast"
};
void write_plain_film(const std::filesystem::path& path, int64_t frames, const PlainFilm& film);

// A picture [height, width, 3] uint8 that stands still, as lossless H.264. Its YUV is worked out
// here from the matrix's definition; a block of 2 x 2 pixels has the colour of its upper left one.
struct StillFilm {
  std::string matrix = "bt709";  // or "smpte170m", "bt2020nc"; "": BT.601, and the file names none
  bool full_range = false;
};
void write_still_film(const std::filesystem::path& path, const at::Tensor& rgb,
                      const StillFilm& film);

// The bytes of both files one after the other.
void join_files(const std::filesystem::path& first, const std::filesystem::path& second,
                const std::filesystem::path& to);

// The first `bytes` of a file (below 0: all but so many).
void cut_file(const std::filesystem::path& from, const std::filesystem::path& to, int64_t bytes);

}  // namespace vmr::test
