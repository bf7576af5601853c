// The truth files: what an item was made from and what is in it, as JSON and back.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "vmr/synth/film.h"
#include "vmr/synth/song.h"

namespace vmr::synth {

nlohmann::json track_truth(const std::string& id, const TrackState& state, const SongTruth& truth);
nlohmann::json film_truth(const std::string& id, const std::string& track, const Observation& seen,
                          const FilmScript& script);

// What the ceiling needs of a track and of a film. Throws: StoreError naming the file.
struct TrackTruth {
  TrackState state;
  std::vector<double> beats;
};
struct FilmTruth {
  Observation seen;
  std::vector<double> cuts;
  double frames_per_second = 0.0;
  double difficulty = 0.0;
};
TrackTruth read_track_truth(const std::filesystem::path& path);
FilmTruth read_film_truth(const std::filesystem::path& path);

}  // namespace vmr::synth
