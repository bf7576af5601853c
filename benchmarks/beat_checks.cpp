// beat_checks [FOLDER...]: how good our beats are on music with exact beats, where music is
// refused, where sound without beats gets some, and whether confidence is a probability. Folders by
// beat_corpus; without any those of `bench_beats` and 40 minutes each of noise, speech and silence.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "beat_quality.h"
#include "beat_tables.h"
#include "vmr/audio/beat.h"
#include "vmr/audio/beat_stream.h"

namespace {

using namespace vmr;
using Json = nlohmann::ordered_json;

constexpr double kRateHz = 16000;  // read_pieces'

struct Options {
  std::vector<std::string> folders;
  std::optional<double> latency_seconds;  // none: whole songs
  double clip_seconds = 0;
  std::string pieces_file;
};

struct Found {
  std::vector<double> beats, down_beats;
  double confidence = 0, tempo_probability = 0;
  std::vector<double> confidences;  // of each beat of a stream
};

Found find(const at::Tensor& samples, const Options& options) {
  Found found;
  if (!options.latency_seconds) {
    auto result = audio::track_beats(samples);
    found.beats = std::move(result.beats_seconds);
    found.down_beats = std::move(result.down_beats_seconds);
    found.confidence = result.confidence;
    if (!result.tempi.empty()) found.tempo_probability = result.tempi.front().probability;
    return found;
  }
  audio::BeatStream stream({.latency_seconds = *options.latency_seconds});
  auto beats = stream.push(samples);
  const auto rest = stream.flush();
  beats.insert(beats.end(), rest.begin(), rest.end());
  for (const auto& beat : beats) {
    found.beats.push_back(beat.seconds);
    if (beat.down_beat) found.down_beats.push_back(beat.seconds);
    found.confidences.push_back(beat.confidence);
    found.confidence += beat.confidence / double(beats.size());
  }
  return found;
}

// One pair a beat found.
std::vector<corpus::Trust> checked(const Found& found, const std::vector<double>& truth) {
  constexpr double kWindowSeconds = 0.07;
  std::vector<corpus::Trust> beats;
  for (size_t i = 0; i < found.confidences.size(); ++i) {
    const auto after =
        std::lower_bound(truth.begin(), truth.end(), found.beats[i] - kWindowSeconds);
    beats.push_back(
        {found.confidences[i], after != truth.end() && *after <= found.beats[i] + kWindowSeconds});
  }
  return beats;
}

// "none_03_blue" -> "blue"
std::string kind_of(const bench::BeatPiece& piece) {
  return piece.name.substr(piece.name.find('_', piece.name.find('_') + 1) + 1);
}

bench::CheckedPiece check(const bench::BeatPiece& piece, const Options& options) {
  const auto found = find(piece.samples, options);
  bench::CheckedPiece result;
  result.name = piece.name;
  result.seconds = double(piece.samples.numel()) / kRateHz;
  result.music = !piece.beats.empty();
  result.confidence = found.confidence;
  result.tempo_probability = found.tempo_probability;
  result.found_any = !found.beats.empty();
  if (!result.music) {
    result.kind = kind_of(piece);
    result.with_beats = corpus::covered_share(found.beats, result.seconds);
    return result;
  }
  result.scores = eval::score_beats(piece.beats, found.beats);
  result.tempo = eval::score_tempo(eval::tempo_of(piece.beats), eval::tempo_of(found.beats));
  if (!piece.down_beats.empty())
    result.down_beat_f = eval::score_beats(piece.down_beats, found.down_beats).f_measure;
  result.refused = corpus::refused_share(piece.beats, found.beats);
  result.beats = checked(found, piece.beats);
  return result;
}

// Sound without beats in clips; music stays whole.
std::vector<bench::BeatPiece> clips_of(const bench::BeatPiece& piece, double seconds) {
  if (seconds == 0 || !piece.beats.empty()) return {piece};
  const auto length = int64_t(seconds * kRateHz);
  std::vector<bench::BeatPiece> clips;
  for (int64_t begin = 0; begin + length <= piece.samples.numel(); begin += length) {
    clips.push_back(piece);
    clips.back().samples = piece.samples.slice(0, begin, begin + length).contiguous();
  }
  return clips;
}

Json line_of(const bench::CheckedPiece& piece) {
  Json line{{"folder", piece.folder},
            {"name", piece.name},
            {"confidence", piece.confidence},
            {"tempo_probability", piece.tempo_probability},
            {"found_any", piece.found_any}};
  if (!piece.music) {
    line["with_beats"] = piece.with_beats;
    return line;
  }
  line["f"] = piece.scores.f_measure;
  line["cml_t"] = piece.scores.correct_total;
  line["aml_t"] = piece.scores.any_total;
  line["down_beat_f"] = piece.down_beat_f;
  line["refused"] = piece.refused;
  return line;
}

void run(const Options& options) {
  std::vector<bench::BeatFolder> folders;
  for (const std::filesystem::path folder : options.folders)
    folders.push_back({folder.filename().string(), folder});
  if (folders.empty()) {
    folders = bench::beat_folders();
    for (auto& folder : bench::beatless_folders()) folders.push_back(std::move(folder));
  }
  std::vector<bench::CheckedPiece> pieces;
  double sound_seconds = 0, processor_seconds = 0;
  for (const auto& [title, path] : folders) {
    for (const auto& piece : bench::read_pieces(path)) {
      for (const auto& clip : clips_of(piece, options.clip_seconds)) {
        const auto start = std::clock();
        pieces.push_back(check(clip, options));
        processor_seconds += double(std::clock() - start) / CLOCKS_PER_SEC;
        sound_seconds += pieces.back().seconds;
        pieces.back().folder = title;
      }
    }
  }
  bench::print_quality(pieces);
  bench::print_refusals(pieces);
  bench::print_inventions(pieces);
  bench::print_reliability(pieces);
  std::printf("\n%.0f minutes, at %.0f times real time by the processor's clock\n",
              sound_seconds / 60, sound_seconds / processor_seconds);
  if (options.pieces_file.empty()) return;
  std::ofstream out(options.pieces_file);
  for (const auto& piece : pieces) out << line_of(piece).dump() << "\n";
  if (!out) throw std::runtime_error("cannot write " + options.pieces_file);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Beats against the truth of rendered music, and of sound without any");
  Options options;
  app.add_option("FOLDER", options.folders, "written by beat_corpus");
  app.add_option("--latency", options.latency_seconds,
                 "seconds: as a stream of this latency finds them (0 to 2)");
  app.add_option("--clip", options.clip_seconds,
                 "sound without beats in clips of so many seconds instead of a minute")
      ->check(CLI::Range(1., 60.));
  app.add_option("--pieces", options.pieces_file, "one line of JSON a piece");
  CLI11_PARSE(app, argc, argv);
  try {
    run(options);
  } catch (const std::exception& error) {
    std::cerr << "beat_checks: " << error.what() << "\n";
    return 1;
  }
}
