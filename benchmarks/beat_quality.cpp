#include "beat_quality.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench_media.h"
#include "support/corpus/beat_corpus.h"
#include "support/corpus/beat_scores.h"
#include "vmr/eval/beat_metrics.h"
#include "vmr/media/audio_reader.h"

namespace vmr::bench {
namespace {

namespace fs = std::filesystem;

constexpr double kRateHz = 16000;  // read_audio's

void write_folder(const fs::path& folder, const corpus::CorpusOptions& options) {
  if (fs::exists(folder)) return;
  // Written aside, so that programs may run at the same time.
  const auto aside = folder.string() + "_" + std::to_string(getpid());
  corpus::write_corpus(aside, options);
  std::error_code other_was_first;
  fs::rename(aside, folder, other_was_first);
  if (other_was_first) fs::remove_all(aside);
}

}  // namespace

std::vector<BeatFolder> beat_folders() {
  using corpus::Split;
  const auto home = media_folder();
  write_folder(home / "beat_songs", {.split = Split::dev, .pieces = 42});
  write_folder(home / "beat_grooves", {.split = Split::check, .pieces = 42});
  write_folder(home / "beat_none", {.split = Split::none, .pieces = 20});
  for (int i = 0; i < kSongs; ++i) song(i);
  return {{"songs", home / "beat_songs"},
          {"grooves", home / "beat_grooves"},
          {"library songs", home},
          {"sounds without beats", home / "beat_none"}};
}

std::vector<BeatFolder> beatless_folders() {
  using corpus::Split;
  const auto home = media_folder();
  std::vector<BeatFolder> folders{{"noise", home / "beat_noise"},
                                  {"speech", home / "beat_speech"},
                                  {"silence", home / "beat_silence"}};
  const std::array splits{Split::noise, Split::speech, Split::silence};
  for (size_t i = 0; i < folders.size(); ++i)
    write_folder(folders[i].path, {.split = splits[i], .pieces = 40});
  return folders;
}

std::vector<BeatPiece> read_pieces(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".json") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<BeatPiece> pieces;
  for (auto& path : paths) {
    const auto truth = nlohmann::json::parse(std::ifstream(path));
    const auto audio = media::read_audio(path.replace_extension(".wav"), {.rate_hz = kRateHz});
    pieces.push_back({path.stem().string(), audio.samples[0].contiguous(),
                      truth.at("beats").get<std::vector<double>>(),
                      truth.value("tags", std::vector<std::string>()),
                      truth.value("down_beats", std::vector<double>())});
  }
  return pieces;
}

double seconds_of(const std::vector<BeatPiece>& pieces) {
  double seconds = 0;
  for (const auto& piece : pieces) seconds += double(piece.samples.numel()) / kRateHz;
  return seconds;
}

std::map<std::string, double> beat_quality(const std::vector<BeatPiece>& pieces,
                                           const FindBeats& find) {
  std::map<std::string, std::vector<double>> values;
  for (const auto& piece : pieces) {
    const auto found = find(piece.samples);
    const auto scores = eval::score_beats(piece.beats, found);
    const auto tempo = eval::score_tempo(eval::tempo_of(piece.beats), eval::tempo_of(found));
    values["F"].push_back(scores.f_measure);
    values["CMLt"].push_back(scores.correct_total);
    values["AMLt"].push_back(scores.any_total);
    values["information gain"].push_back(scores.information_gain);
    values["tempo 1"].push_back(tempo.accuracy_1);
    values["tempo 2"].push_back(tempo.accuracy_2);
    for (const auto& tag : piece.tags) {
      values["F:" + tag].push_back(scores.f_measure);
      values["AMLt:" + tag].push_back(scores.any_total);
    }
  }
  std::map<std::string, double> means;
  for (const auto& [name, each] : values) {
    if (name.find(':') != std::string::npos && each.size() < 3) continue;
    double sum = 0;
    for (const double value : each) sum += value;
    means[name] = sum / double(each.size());
  }
  return means;
}

std::map<std::string, double> time_with_beats(const std::vector<BeatPiece>& pieces,
                                              const FindBeats& find) {
  double covered = 0;
  for (const auto& piece : pieces) {
    const double seconds = double(piece.samples.numel()) / kRateHz;
    covered += seconds * corpus::covered_share(find(piece.samples), seconds);
  }
  return {{"time with beats", covered / seconds_of(pieces)}};
}

}  // namespace vmr::bench
