// Beat tracking of 24 rendered songs from their waveforms, one thread, and how good it is: mean F
// (beats within 70 ms, the first 5 s left out, as mir_eval does); peer: librosa.beat.beat_track.
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench_case.h"
#include "bench_media.h"
#include "vmr/audio/beat.h"
#include "vmr/media/audio_reader.h"

namespace {

using namespace vmr;

std::vector<double> from_5_s(const std::vector<double>& beats) {
  return {std::lower_bound(beats.begin(), beats.end(), 5.0), beats.end()};
}

// Pairs of beats nearer than 70 ms, each used once: going through both in order finds the most.
double f_measure(const std::vector<double>& all_true, const std::vector<double>& all_found) {
  const auto truth = from_5_s(all_true), found = from_5_s(all_found);
  size_t i = 0, j = 0;
  double hits = 0;
  while (i < truth.size() && j < found.size()) {
    if (std::abs(truth[i] - found[j]) <= 0.07) {
      ++hits, ++i, ++j;
    } else {
      ++(truth[i] < found[j] ? i : j);
    }
  }
  return truth.empty() && found.empty() ? 1 : 2 * hits / double(truth.size() + found.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<at::Tensor> songs;
  std::vector<std::vector<double>> truth;
  for (int i = 0; i < bench::kSongs; ++i) {
    auto path = bench::song(i);
    songs.push_back(media::read_audio(path).samples[0].contiguous());
    const auto document = nlohmann::json::parse(std::ifstream(path.replace_extension(".json")));
    truth.push_back(document.at("beats").get<std::vector<double>>());
  }
  for (const auto method : {audio::BeatMethod::tracker, audio::BeatMethod::reference}) {
    const audio::BeatOptions options{.method = method};
    double f = 0;
    for (size_t i = 0; i < songs.size(); ++i) {
      f += f_measure(truth[i], audio::track_beats(songs[i], options).beats_seconds) /
           double(songs.size());
    }
    bench::add({method == audio::BeatMethod::tracker ? "24 songs" : "24 songs, reference mode",
                1,
                "x real time",
                bench::kSongs * bench::kSongSeconds,
                0.5,
                {{"F", f}}},
               [songs, options] {
                 for (const auto& song : songs) audio::track_beats(song, options);
               });
  }
  return bench::run(argc, argv);
}
