// Small films and audio files with known truth, made when a test asks for them.
#pragma once

#include <cstdint>
#include <filesystem>
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
  double drop_sound_from = 0, drop_sound_to = 0;  // packets of sound that get lost
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

// The bytes of both files one after the other.
void join_files(const std::filesystem::path& first, const std::filesystem::path& second,
                const std::filesystem::path& to);

// The first `bytes` of a file (below 0: all but so many).
void cut_file(const std::filesystem::path& from, const std::filesystem::path& to, int64_t bytes);

}  // namespace vmr::test
