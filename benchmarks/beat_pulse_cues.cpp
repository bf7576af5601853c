// beat_pulse_cues FOLDER... > CUES.jsonl
// What the beat tracker's probability of a pulse is fitted on (fit_beat_pulse.py): for each sound
// of the folders (beat_corpus) one line of JSON with the cues of each second, of music between its
// first and its last beat.
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "audio/beat_hearing.h"
#include "audio/beat_hypotheses.h"
#include "audio/beat_pulse.h"
#include "beat_quality.h"

namespace {

using namespace vmr;
using Json = nlohmann::ordered_json;

constexpr double kRateHz = 16000;  // read_pieces'

// [seconds][salience, grid]; none where nothing has a rhythm.
Json cues_of(const bench::BeatPiece& piece) {
  Json cues = Json::array();
  const auto bands = audio::detail::hear(piece.samples, kRateHz);
  const auto periods = audio::detail::saliences(audio::detail::tempogram(bands));
  const auto hypotheses = audio::detail::beat_hypotheses(bands, periods);
  if (hypotheses.empty()) return cues;
  double middle = 0.5;
  for (const auto& [salience, grid] :
       audio::detail::pulse_cues(periods, bands, hypotheses.front().chain.beats)) {
    if (piece.beats.empty() || (middle >= piece.beats.front() && middle <= piece.beats.back()))
      cues.push_back({salience, grid});
    ++middle;
  }
  return cues;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Cues of a pulse second by second, for fit_beat_pulse.py");
  std::vector<std::string> folders;
  app.add_option("FOLDER", folders, "written by beat_corpus")->required();
  CLI11_PARSE(app, argc, argv);
  for (const std::filesystem::path folder : folders)
    for (const auto& piece : bench::read_pieces(folder))
      std::cout << Json{{"make", folder.filename().string()},
                        {"name", piece.name},
                        {"music", !piece.beats.empty()},
                        {"cues", cues_of(piece)}}
                       .dump()
                << "\n";
}
