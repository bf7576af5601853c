#include "bench_media.h"

#include <fstream>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "vmr/media/film_writer.h"
#include "vmr/synth/film.h"
#include "vmr/synth/song.h"

namespace vmr::bench {
namespace {

namespace fs = std::filesystem;

synth::TrackState song_state(int index) {
  auto state = synth::draw_track(7, index, kSongSeconds);
  // 7 and 24 have no common factor: neighbours differ in tempo, and so do the special cases below.
  state.tempo_bpm = 60 + 130.0 * ((index * 7) % kSongs) / (kSongs - 1);
  state.end_tempo_bpm = state.tempo_bpm * (index % 5 == 3 ? 1.12 : 1);
  state.beats_per_bar = index % 6 == 2 ? 3 : 4;
  state.swing = index % 4 == 1 ? 0.8 : 0;
  state.drums = index % 4 != 3;
  return state;
}

std::vector<std::string> tags_of(const synth::TrackState& state) {
  std::vector<std::string> tags{"metre_" + std::to_string(state.beats_per_bar) + "/4"};
  if (!state.drums) tags.push_back("no_drums");
  if (state.swing > 0) tags.push_back("swung");
  if (state.end_tempo_bpm != state.tempo_bpm) tags.push_back("ramp");
  return tags;
}

void write_film(const fs::path& path, int height, int key_frame_every) {
  auto state = synth::draw_track(7, 0, kFilmSeconds);
  const auto music = synth::render_song(state);
  synth::FilmOptions options;
  options.height = height;
  options.width = height * 16 / 9;
  options.seconds = kFilmSeconds;
  const auto script =
      synth::write_film_script(synth::observe(state, 0.3, 7, 0, 0), music.truth, options);
  media::FilmWriterOptions writing;
  writing.width = options.width;
  writing.height = height;
  writing.fps = options.frames_per_second;
  writing.rate_hz = synth::kSongRateHz;
  writing.key_frame_every = key_frame_every;
  writing.b_frames = 2;
  media::FilmWriter writer(path, writing);
  writer.add_audio(music.samples);
  synth::FilmRenderer renderer(script);
  for (int64_t frame = 0; frame < script.frames; ++frame) writer.add_frame(renderer.render(frame));
  writer.finish();
}

}  // namespace

fs::path media_folder() {
  const auto folder = fs::temp_directory_path() / "vmr_bench_media_2";
  fs::create_directories(folder);
  return folder;
}

fs::path film(int height, int key_frame_every) {
  const auto path = media_folder() / ("film_" + std::to_string(height) + "p_gop" +
                                      std::to_string(key_frame_every) + ".mp4");
  if (!fs::exists(path)) write_film(path, height, key_frame_every);
  return path;
}

fs::path song(int index) {
  std::ostringstream name;
  name << "song_" << std::setw(2) << std::setfill('0') << index;
  const auto path = media_folder() / (name.str() + ".wav");
  if (!fs::exists(path)) {
    const auto state = song_state(index);
    const auto made = synth::render_song(state);
    std::ofstream(media_folder() / (name.str() + ".json"))
        << nlohmann::json{{"beats", made.truth.beats}, {"tags", tags_of(state)}};
    media::write_audio(path, {made.samples, double(synth::kSongRateHz), 0});
  }
  return path;
}

fs::path sound(const std::string& extension) {
  const auto path = media_folder() / ("sound." + extension);
  if (!fs::exists(path)) {
    const auto made = synth::render_song(synth::draw_track(7, 1, kSoundSeconds));
    media::write_audio(path, {made.samples, double(synth::kSongRateHz), 0});
  }
  return path;
}

}  // namespace vmr::bench
