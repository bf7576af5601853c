// Writes films (H.264 and AAC in MP4) and audio files, and lays music under a film. A file is
// written aside and renamed when it is whole. Not thread-safe: one thread a writer.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "vmr/media/audio_reader.h"

namespace vmr::media {

struct FilmWriterOptions {
  int width = 0;   // of the frames given, even
  int height = 0;  // even
  double fps = 25;
  double rate_hz = 44100;
  int channels = 2;  // 0: no sound
  int crf = 23;      // 0 (lossless) to 51
  std::string preset = "veryfast";
  int threads = 1;
  int key_frame_every = 0;   // frames; 0: the encoder's choice (at most 250)
  int b_frames = -1;         // between others; -1: the encoder's choice
  int rotation_degrees = 0;  // clockwise turn for the player: 0, 90, 180, 270
};

// Throws: InvalidArgument for a field out of range.
void validate(const FilmWriterOptions& options);

class FilmWriter {
 public:
  // Throws: InvalidArgument; MediaError where the file cannot be made or an encoder is missing.
  FilmWriter(const std::filesystem::path& path, const FilmWriterOptions& options);
  ~FilmWriter();  // an unfinished film is removed; never throws
  FilmWriter(FilmWriter&&) noexcept;
  FilmWriter& operator=(FilmWriter&&) noexcept;

  // The next frame, [height, width, 3] uint8 RGB, at (frames so far) / fps.
  void add_frame(const at::Tensor& rgb);
  // A frame at a time of its own (variable rate; ticks of 1/90000 s or less). Requires: later than
  // the last.
  void add_frame(const at::Tensor& rgb, double seconds);
  // The next stretch of sound, [channels, n] float32 in [-1, 1].
  void add_audio(const at::Tensor& samples);
  // Writes what is buffered and gives the file its name. Call once, last. Throws: MediaError.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The codec is chosen by the extension: .wav (float32), .flac (24 bit), .m4a (AAC), .mp3, .ogg
// (Vorbis). Throws: InvalidArgument for other extensions; MediaError, naming the encoder where this
// FFmpeg lacks it.
void write_audio(const std::filesystem::path& path, const Audio& audio);

// What vmr's commands ask for: previews that follow each other are equally loud. -14 to -16 LUFS is
// what music services play at; quiet masters reach -16 more often before their peaks are full.
inline constexpr double kPreviewLufs = -16;

struct PreviewOptions {
  // Position in the music at film time 0, on the music's own clock; below 0: silence first.
  double offset_seconds = 0;
  double fade_seconds = 0.5;  // fade-out at the end of the film, and fade-in where the music is cut
  // Tempo of the music beside its own, pitch kept, 0.5 to 2: film time t plays the music at
  // offset_seconds + t * stretch. Pieces of 40 ms are moved to do it (FFmpeg's atempo), so a moment
  // may lie up to 25 ms beside its place; these errors do not add up. 1: exact to the sample.
  double stretch = 1;
  // Loudness of all that is heard, integrated after EBU R 128, -60 to 0 LUFS, by one gain that
  // leaves true peaks at -1 dBTP at most (before AAC). Sound that is silent stays so. None: as the
  // files have it.
  std::optional<double> target_lufs;
  // The film's own sound beside the music at this gain, -100 to 24 dB, not faded; what a film
  // without sound leaves out. Without target_lufs the sum may pass full scale. None: dropped.
  std::optional<double> film_sound_gain_db;
};

struct PreviewSummary {
  double gain_db = 0;  // given to all of the sound
  // Of the sound as it was handed to the encoder. None without target_lufs, or of silence.
  std::optional<double> loudness_lufs, true_peak_dbtp;
  bool held_by_peaks = false;  // quieter than asked for, because of its peaks
};

// Throws: InvalidArgument for a field out of range.
void validate(const PreviewOptions& options);

// Throws: InvalidArgument unless `out` ends in .mp4, .m4v, .mov or .mkv: what holds the codecs of
// films beside AAC. For who wants to know before hours of work.
void validate_preview_path(const std::filesystem::path& out);

// The film's picture, bit for bit, with the music as its sound: cut or followed by silence at the
// film's length. Memory does not grow with either file; with target_lufs the music is decoded
// twice. Throws: MediaError; InvalidArgument, as validate and validate_preview_path too; Error when
// stopped, which leaves no file.
PreviewSummary write_preview(const std::filesystem::path& film, const std::filesystem::path& music,
                             const std::filesystem::path& out, const PreviewOptions& options = {},
                             std::stop_token stop = {});

}  // namespace vmr::media
