// Data files of the published UT-CMVMR code (arXiv 2309.09421): pairs, tags, durations and id lists
// as a manifest, rhythm and flow statistics as features of a store, and back as text. Archives of
// frames need no import: `vmr extract` takes a zip file for a film. What is wrong with single
// entries is listed and the rest goes on. Thread-safe on different stores.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/store/feature_store.h"
#include "vmr/store/manifest.h"

namespace vmr::pipeline {

// Paths; "" = none. An id list has one id a line.
struct ReferencePairs {
  std::filesystem::path pairs;       // JSON {film: [track, tag, tag index]}
  std::filesystem::path music_tags;  // JSON {track: [tag, seconds]}
  // Id lists of films; with any of them films that are in none are left out.
  std::filesystem::path train, valid, test;
  std::filesystem::path gallery;  // id list of tracks to rank: split "test"
  // Id lists of tracks of the sound encoder's pre-training: splits "train" and "valid". Tracks in
  // no list of tracks go where their films are, train before valid before test.
  std::filesystem::path music_train, music_test;
  std::filesystem::path ignore;  // ids or paths of films and tracks to leave out
  // Where the media lie: a folder of files named by id, or a list of paths, one a line. Without,
  // items have no path.
  std::filesystem::path films, music;
};

struct ImportedManifest {
  store::Manifest manifest;           // tracks, then films, by id
  std::vector<ItemFailure> problems;  // of entries: left out, or as the reason says
  int64_t in_no_list = 0, ignored = 0;
  // Tracks that training hears (of a film of split train, or in music_train) and that are ranked
  // (of a film of valid or test, or in the gallery), with how: "train by v1, test by v4". They
  // stay.
  std::vector<ItemFailure> shared_tracks;
};

// Tags of a film: its pair's; of a track: that of music_tags, else those of its films. Fields:
// "tag_index" of films, "duration_seconds" of tracks.
// Throws: StoreError where a file cannot be read; InvalidArgument where one is not of its format as
// a whole.
ImportedManifest import_manifest(const ReferencePairs& files);

struct ImportedFeatures {
  int64_t items = 0, clips = 0;
  int64_t clamped = 0;  // values beyond the last class
  std::vector<ItemFailure> problems;
};

// Lines "id beats strength interval" -> "rhythm_measures" [clips, 3] float32 and "rhythm" [clips,
// 3] int64 of tracks; lines "id displacement" -> "clip_flow_measures" [clips] float32 and
// "clip_flow" [clips] int64 of films, in the published bins. Columns are separated by blanks, lines
// beginning with # passed over. The store is made when missing; ids that its manifest lacks are
// listed and left out, as are items whose lines are damaged; items without lines are listed. Where
// nothing can be imported no store is made.
// Throws: StoreError; InvalidArgument for a file without lines and where the store has such
// features from elsewhere.
ImportedFeatures import_rhythm(const std::filesystem::path& statistics,
                               const std::filesystem::path& store_folder, double clip_seconds = 4);
ImportedFeatures import_clip_flow(const std::filesystem::path& statistics,
                                  const std::filesystem::path& store_folder,
                                  double clip_seconds = 4);

struct ExportedStatistics {
  std::vector<std::filesystem::path> files;  // none for measures the store has of no item
  int64_t items = 0, clips = 0;
  std::vector<ItemFailure> problems;  // items left out
};

// "rhythm_measures" of tracks as rhythm.txt (audio::write_rhythm_text) and "clip_flow_measures" of
// films as flow.txt, "id<tab>displacement" a clip, in a folder that is made when missing. Importing
// them gives the same measures, bit for bit. Ids with white space cannot be written.
// Throws: StoreError where a file cannot be written.
ExportedStatistics export_statistics(const store::FeatureStore& store,
                                     const std::filesystem::path& folder);

}  // namespace vmr::pipeline
