// Fitting without training: how well the beats and energy of tracks go with the cuts and motion of
// a film, and from where in the track (retrieval/synchronisation.h). Music is analysed once, by the
// ordinary extraction, and kept in a feature store; a film is analysed when it is asked about.
// Functions are thread-safe. One store is written by one call at a time: another that has to write
// it waits, which is logged once, and then analyses what is still missing.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/pipeline/matcher.h"
#include "vmr/retrieval/hit.h"
#include "vmr/retrieval/synchronisation.h"

namespace vmr::pipeline {

// What fitting reads: of films "flow" at 30 frames/s, small, and "cuts"; of tracks "beats",
// "down_beats", "beat_confidence", "energy" and "sections".
ExtractRecipe fit_recipe();

// Decodes a film once: duration, "flow" and "cuts"; no embedding. threads: for this film, 0 = one
// per core; changes speed only. picture_ends: on the film's clock, for who has probed it already;
// else the file is probed here. Throws: MediaError; Error when stopped.
FilmAnalysis analyse_film_rhythm(const std::filesystem::path& film, std::stop_token stop = {},
                                 int threads = 0, std::optional<double> picture_ends = {});
// Requires: an analysis with "flow"; at 8 frames/s and more motion peaks count too.
retrieval::FilmRhythm film_rhythm(const FilmAnalysis& film);
// Of extract_music's features by fit_recipe(); empty where one that is needed is missing ("energy",
// whose rows are the track's length, and "beats").
std::optional<retrieval::TrackRhythm> track_rhythm(const NamedTracks& tracks);
std::optional<retrieval::TrackRhythm> track_rhythm(const store::FeatureStore& store,
                                                   const std::string& id);

inline constexpr double kLongestWaitSeconds = 1800;  // for another to write the same store

struct FitMusic {
  std::vector<store::ManifestItem> tracks;  // analysed and ready in the store
  std::map<std::string, std::string> ids;   // of the files, by their paths as given or found
  ExtractSummary summary;                   // of what was analysed now, with failures
};

// Sound files: files as they are given, folders with the sound files in them and below (known by
// their extension), in the order of their names. A track's id is the hash of its file, so a file is
// decoded once wherever it lies; files unchanged in size and time are not even read again.
// longest_wait_seconds: for a store that another call or process is writing; 0 = not at all.
// Throws: InvalidArgument where there is no sound file; StoreError, also when it waited in vain.
FitMusic analyse_music(const std::vector<std::filesystem::path>& paths,
                       const std::filesystem::path& store_folder,
                       const ExtractOptions& options = {}, const RunControl& control = {},
                       double longest_wait_seconds = kLongestWaitSeconds);

// The tracks a store was filled with, analysed further where features are missing. Waits for half
// an hour too. Throws: StoreError where the folder is no store or has no music.
FitMusic analyse_stored_music(const std::filesystem::path& store_folder,
                              const ExtractOptions& options = {}, const RunControl& control = {});

struct FitOptions {
  retrieval::SynchroniseOptions synchronise;
  int64_t top = 10;
  int threads = 0;  // tracks at a time; changes speed only
};

// Silence of this length before or behind the music goes unheard: a frame, and the tenth of a
// second to which a track's length is known.
inline constexpr double kUnheardSeconds = 0.15;

// hit: score, parts and offset are the fit's; metadata has "title", "path" and "synchronisation",
// what JSON tells of the fit: as retrieval's to_json, "beats_hit" null like "cut_error_ms" where
// the film has no cuts or the track no beats, and "track_has_beats" and "music_ends_seconds" (film
// time, or null).
struct FitHit {
  retrieval::Hit hit;
  retrieval::Synchronisation fit;
  bool track_has_beats = false;  // without, it is ranked by energy and sections alone
  // Where in the film a track ends that is over before the film is.
  std::optional<double> music_ends_seconds;

  // Whether all of the film has music.
  bool covers_film() const { return fit.offset_seconds >= -kUnheardSeconds && !music_ends_seconds; }
};

// Best first, ties by id. Throws: as retrieval::synchronise; StoreError.
std::vector<FitHit> fit(const FilmAnalysis& film, const std::filesystem::path& store_folder,
                        const std::vector<store::ManifestItem>& tracks,
                        const FitOptions& options = {}, const RunControl& control = {});

// Ranks a matcher's hits anew: each gets the parts of its fit, their weights times `weight`, and
// the fit's offset; "synchronisation" in its metadata. A score is in standard deviations, a clear
// fit has 5 and more, so that 0.02 to 0.1 suits scores of cosines. Tracks are analysed from their
// files and kept in `store_folder`; one that cannot be is listed and keeps its score.
// film: of analyse_film_rhythm. Throws: as fit; InvalidArgument unless weight >= 0.
std::vector<ItemFailure> rank_with_fit(std::vector<retrieval::Hit>& hits, const FilmAnalysis& film,
                                       const std::filesystem::path& store_folder, double weight,
                                       const ExtractOptions& options = {},
                                       const RunControl& control = {});

}  // namespace vmr::pipeline
