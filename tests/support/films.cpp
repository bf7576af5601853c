#include "support/films.h"

#include <ATen/Functions.h>

#include <fstream>
#include <iterator>

#include "support/synth.h"

namespace vmr::test {
namespace {

media::FilmWriterOptions sized(media::FilmWriterOptions options) {
  if (options.width == 0) options.width = 128;
  if (options.height == 0) options.height = 64;
  return options;
}

}  // namespace

void write_numbered_film(const std::filesystem::path& path, int64_t frames,
                         media::FilmWriterOptions options) {
  options = sized(options);
  media::FilmWriter film(path, options);
  for (int64_t i = 0; i < frames; ++i) {
    film.add_frame(numbered_frame(i, options.width, options.height));
  }
  if (options.channels > 0) {
    const double seconds = static_cast<double>(frames) / options.fps;
    film.add_audio(tone(440, seconds, options.rate_hz).repeat({options.channels, 1}));
  }
  film.finish();
}

void write_timed_film(const std::filesystem::path& path, const std::vector<double>& times,
                      media::FilmWriterOptions options) {
  options = sized(options);
  media::FilmWriter film(path, options);
  for (size_t i = 0; i < times.size(); ++i) {
    film.add_frame(numbered_frame(static_cast<int64_t>(i), options.width, options.height),
                   times[i]);
  }
  if (options.channels > 0) {
    film.add_audio(
        tone(440, times.back() + 1 / options.fps, options.rate_hz).repeat({options.channels, 1}));
  }
  film.finish();
}

void write_square_film(const std::filesystem::path& path, int64_t frames, double dx, double dy,
                       double bpm) {
  MovingSquare square;
  square.dx = dx;
  square.dy = dy;
  media::FilmWriterOptions options;
  options.width = square.width;
  options.height = square.height;
  options.channels = 1;
  media::FilmWriter film(path, options);
  for (int64_t i = 0; i < frames; ++i) film.add_frame(square.frame(i));
  const double seconds = static_cast<double>(frames) / options.fps;
  film.add_audio(click_track(bpm, seconds, options.rate_hz).samples);
  film.finish();
}

void join_files(const std::filesystem::path& first, const std::filesystem::path& second,
                const std::filesystem::path& to) {
  std::ofstream out(to, std::ios::binary);
  out << std::ifstream(first, std::ios::binary).rdbuf()
      << std::ifstream(second, std::ios::binary).rdbuf();
}

void cut_file(const std::filesystem::path& from, const std::filesystem::path& to, int64_t bytes) {
  std::ifstream in(from, std::ios::binary);
  std::string all((std::istreambuf_iterator<char>(in)), {});
  const int64_t keep = bytes < 0 ? static_cast<int64_t>(all.size()) + bytes : bytes;
  all.resize(static_cast<size_t>(keep));
  std::ofstream(to, std::ios::binary) << all;
}

}  // namespace vmr::test
