// Which items a library has and what each is made from, before anything is rendered.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "vmr/store/manifest.h"
#include "vmr/synth/film.h"
#include "vmr/synth/library.h"
#include "vmr/synth/song.h"

namespace vmr::synth {

// Throws InvalidArgument naming the option.
void validate(const LibraryOptions& options);

struct PlannedTrack {
  std::string id;
  std::string split;
  std::string title;
  std::string extension;  // of the music file, ".flac"
  TrackState state;
};

// The options of film `film` of track `index`: length, frame rate and seed.
FilmOptions film_options(const LibraryOptions& options, int64_t index, int64_t film);

// `extensions` are taken in rotation.
std::vector<PlannedTrack> plan_tracks(const LibraryOptions& options,
                                      const std::vector<std::string>& extensions);

std::string film_id(const PlannedTrack& track, int64_t film);
std::filesystem::path music_path(const std::filesystem::path& folder, const PlannedTrack& track);
std::filesystem::path film_path(const std::filesystem::path& folder, const PlannedTrack& track,
                                int64_t film);
std::filesystem::path truth_path(const std::filesystem::path& folder, const std::string& id);

// Hash of everything an item's pixels, samples and truth depend on. film = -1: the music.
std::string item_fingerprint(const LibraryOptions& options, const PlannedTrack& track,
                             int64_t index, int64_t film);

store::ManifestItem music_item(const std::filesystem::path& folder, const PlannedTrack& track);
store::ManifestItem film_item(const std::filesystem::path& folder, const PlannedTrack& track,
                              int64_t film, const FilmOptions& options, const std::string& texture);

nlohmann::json library_json(const LibraryOptions& options);

}  // namespace vmr::synth
