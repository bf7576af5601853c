// beat_cues FOLDER... [--library N] [--clicks N] [--seed S] > CUES.jsonl
// What the weights of the beat tracker are fitted on (fit_beat_weights.py, fit_bar_weights.py): for
// each song of the folders (beat_corpus), for songs of the synthetic library, and for bars of a
// drum and sticks, one line of JSON with the cues of each of the tracker's hypotheses and how right
// it is, and the same of each metre and place of its bars. The first line names the cues.
#include <ATen/ops/zeros.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "audio/beat_bars.h"
#include "audio/beat_hearing.h"
#include "audio/beat_hypotheses.h"
#include "audio/beat_tracker.h"
#include "beat_quality.h"
#include "synth/random.h"
#include "vmr/eval/beat_metrics.h"
#include "vmr/media/audio_reader.h"
#include "vmr/media/film_writer.h"
#include "vmr/synth/song.h"

namespace {

using namespace vmr;
using Json = nlohmann::ordered_json;

constexpr double kRateHz = 16000;
constexpr double kSongSeconds = 40;

using Grid = std::vector<int64_t>;  // frames of beats

// For bars of 2 to 7 beats that begin on any beat of the first: F of their first beats against the
// true ones, and the mean product of each cue and the bar's template.
Json bars_of(const audio::detail::BeatBands& bands, const Grid& beats, const std::string& of,
             const std::vector<double>& truth) {
  const auto cues = audio::detail::bar_cues(bands, beats);
  Json bars{{"beats", of}, {"metre", Json::array()}, {"f", Json::array()}, {"cues", Json::array()}};
  for (int64_t metre = audio::detail::kShortestBar; metre <= audio::detail::kLongestBar; ++metre) {
    const auto [first, other] = audio::detail::bar_template(metre);
    for (int64_t place = 0; place < metre; ++place) {
      std::array<double, audio::detail::kBarCues> means{};
      std::vector<double> down_beats;
      for (size_t i = 0; i < beats.size(); ++i) {
        const bool down = int64_t(i) % metre == place;
        if (down)
          down_beats.push_back(audio::detail::seconds_of_beat(beats[i], bands.frames_per_second));
        for (size_t cue = 0; cue < means.size(); ++cue)
          means[cue] += (down ? first : other) * cues[i][cue] / double(beats.size());
      }
      bars["metre"].push_back(metre);
      bars["f"].push_back(eval::score_beats(truth, down_beats).f_measure);
      bars["cues"].push_back(means);
    }
  }
  return bars;
}

Grid true_beats(const bench::BeatPiece& piece, const audio::detail::BeatBands& bands) {
  Grid grid;
  for (const double seconds : piece.beats) {
    const auto frame = std::llround(seconds * bands.frames_per_second + audio::detail::kLateFrames);
    grid.push_back(std::clamp<int64_t>(frame, 0, bands.frames - 1));
  }
  return grid;
}

Json line_of(const bench::BeatPiece& piece) {
  const auto bands = audio::detail::hear(piece.samples, kRateHz);
  const auto periods = audio::detail::saliences(audio::detail::tempogram(bands));
  Json line{{"name", piece.name},   {"tags", piece.tags}, {"true_bpm", eval::tempo_of(piece.beats)},
            {"bpm", Json::array()}, {"f", Json::array()}, {"cues", Json::array()}};
  for (const auto& hypothesis : audio::detail::beat_hypotheses(bands, periods)) {
    std::vector<double> beats;
    for (const int64_t frame : hypothesis.chain.beats)
      beats.push_back(audio::detail::seconds_of_beat(frame, bands.frames_per_second));
    line["bpm"].push_back(hypothesis.bpm);
    line["f"].push_back(eval::score_beats(piece.beats, beats).f_measure);
    line["cues"].push_back(hypothesis.evidence);
  }
  line["bars"] = Json::array();
  for (const auto& [of, grid] : {std::pair("true", true_beats(piece, bands)),
                                 std::pair("heard", audio::detail::track_bands(bands).beats)})
    if (grid.size() >= 16) line["bars"].push_back(bars_of(bands, grid, of, piece.down_beats));
  return line;
}

// Songs as `vmr synth` makes them, every second one in more tempi and metres than it draws.
bench::BeatPiece library_piece(uint64_t seed, int index) {
  synth::Random random(seed, "beat cues", index);
  auto state = synth::draw_track(seed, index, kSongSeconds);
  if (index % 2 == 0) {
    state.tempo_bpm = 60 * std::pow(190. / 60, random.uniform());
    state.end_tempo_bpm = state.tempo_bpm * (random.chance(0.2) ? random.uniform(0.85, 1.15) : 1);
    state.beats_per_bar = std::array{4, 4, 4, 3, 3, 5}[size_t(random.below(6))];
    state.swing = random.chance(0.25) ? random.uniform(0.6, 1) : 0;
    state.drums = random.chance(0.7);
  }
  const auto song = synth::render_song(state);
  const auto path = std::filesystem::temp_directory_path() /
                    ("beat_cues_" + std::to_string(random.next()) + ".wav");
  media::write_audio(path, {song.samples, double(synth::kSongRateHz), 0});
  const auto audio = media::read_audio(path, {.rate_hz = kRateHz});
  std::filesystem::remove(path);
  return {
      "library_" + std::to_string(index),
      audio.samples[0].contiguous(),
      song.truth.beats,
      {"metre_" + std::to_string(state.beats_per_bar) + "/4", state.drums ? "drums" : "no_drums"},
      song.truth.downbeats};
}

// Sticks on the beats, in most pieces a drum on the first of each bar, and some noise: a tracker
// that is fitted to songs alone knows no bare beats.
bench::BeatPiece click_piece(uint64_t seed, int index) {
  synth::Random random(seed, "beat clicks", index);
  synth::Noise noise(random.next());
  const double bpm = 58 * std::pow(205. / 58, random.uniform());
  const int metre = std::array{4, 4, 3, 2, 5, 1, 1, 1}[size_t(random.below(8))];
  const double drum_hz = random.uniform(50, 110), drum = random.uniform(0.4, 0.9);
  const double stick = random.uniform(0.15, 0.5), stick_seconds = random.uniform(0.01, 0.04);
  const auto samples = static_cast<int64_t>(random.uniform(6, 40) * kRateHz);
  bench::BeatPiece piece{"click_" + std::to_string(index),
                         at::zeros({samples}),
                         {},
                         {"metre_" + std::to_string(metre) + "/4", "clicks"},
                         {}};
  auto* out = piece.samples.mutable_data_ptr<float>();
  const auto hiss = static_cast<float>(0.0002 * std::pow(50, random.uniform()));
  for (int64_t i = 0; i < samples; ++i) out[i] = hiss * noise.next();
  const double first = random.uniform(0.2, 1);
  for (int beat = 0; first + beat * 60 / bpm < double(samples) / kRateHz; ++beat) {
    piece.beats.push_back(first + beat * 60 / bpm);
    if (beat % metre == 0) piece.down_beats.push_back(piece.beats.back());
    const auto begin = static_cast<int64_t>(piece.beats.back() * kRateHz);
    for (int64_t i = begin; i < std::min(samples, begin + int64_t(kRateHz / 4)); ++i) {
      const double seconds = double(i - begin) / kRateHz;
      double value = stick * std::exp(-seconds / stick_seconds) * noise.next();
      if (metre > 1 && beat % metre == 0)
        value += drum * std::exp(-seconds / 0.06) * std::sin(6.2831853 * drum_hz * seconds);
      out[i] += static_cast<float>(value);
    }
  }
  return piece;
}

void write(Json line, const std::string& make) {
  line["make"] = make;
  std::cout << line.dump() << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Cues and truth of beat hypotheses, for fit_beat_weights.py");
  std::vector<std::string> folders;
  int library = 0, clicks = 0;
  uint64_t seed = 1;
  app.add_option("FOLDER", folders, "written by beat_corpus; its name names the make of its songs");
  app.add_option("--library", library, "songs of the synthetic library")
      ->check(CLI::Range(0, 10000));
  app.add_option("--clicks", clicks, "bars of a drum and sticks")->check(CLI::Range(0, 10000));
  app.add_option("--seed", seed, "of the library's songs and the clicks");
  CLI11_PARSE(app, argc, argv);
  Json names = Json::array(), bar_names = Json::array();
  for (const auto& cue : audio::detail::cue_table()) names.push_back(cue.name);
  for (const auto& cue : audio::detail::bar_cue_table()) bar_names.push_back(cue.name);
  std::cout << Json{{"cues", names}, {"bar_cues", bar_names}}.dump() << "\n";
  for (const std::filesystem::path folder : folders)
    for (const auto& piece : bench::read_pieces(folder))
      write(line_of(piece), folder.filename().string());
  for (int i = 0; i < library; ++i) write(line_of(library_piece(seed, i)), "library");
  for (int i = 0; i < clicks; ++i) write(line_of(click_piece(seed, i)), "clicks");
}
