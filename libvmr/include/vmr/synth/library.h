// A small media library made from nothing: N tracks of music, M films each, a manifest, and the
// truth behind every item, for demonstrations, tests and comparisons with a known ceiling.
//
//   out/manifest.jsonl      store::Manifest, split by track; films carry their track and its mood
//   out/films/<id>.mp4      H.264 + AAC; the sound is ambience, never the music
//   out/music/<id>.m4a|mp3|flac   in rotation, as far as the build can encode them
//   out/truth/<id>.json     hidden state; music: beats, downbeats, sections, tempo; film: what it
//                           saw of the state, cuts, motion in pixels per second, palette, labels
//   out/library.json        options and version
//
// Deterministic: the same options give the same manifest, truth, pixels and samples, whatever the
// threads. Resumable: an item is written aside and renamed, its truth last; a later run renders
// only what is missing or was made with other options. Adding tracks or films leaves the others'
// files as they are (their splits may move).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/synth/hidden_state.h"

namespace vmr::synth {

struct LibraryOptions {
  // changes results
  int64_t tracks = 24;
  int64_t films_per_track = 2;
  double difficulty = 0.3;  // [0, 1]
  uint64_t seed = 1;
  double min_seconds = 20.0;  // of films
  double max_seconds = 40.0;  // of films; music lasts 1 to 1.15 times this
  int width = 320;            // pixels, even
  int height = 240;
  double train_share = 0.6;  // of the tracks, stratified by mood
  double valid_share = 0.1;  // the rest is the test split
  // changes speed only
  int threads = 0;  // 0: one per core
};

struct LibrarySummary {
  int64_t rendered = 0;  // items made by this run
  int64_t reused = 0;    // items found complete
  std::vector<ItemFailure> failed;
  bool stopped = false;        // a stop request came; call again to finish
  double seconds = 0.0;        // wall time of this run
  double media_seconds = 0.0;  // playing time of what was rendered
  std::filesystem::path manifest;
};

// The manifest holds the finished items only: after a stop or failures, a film whose track is
// missing is left out. Throws: InvalidArgument naming the option; StoreError where `folder` cannot
// be written; NotBuilt without FFmpeg. A failing item is reported, not thrown.
LibrarySummary generate_library(const std::filesystem::path& folder, const LibraryOptions& options,
                                const RunControl& control = {});

struct HiddenTruth {
  std::vector<std::string> films, tracks;  // ids, in the order of the library's manifest
  at::Tensor scores;                       // [films, tracks] float64, natural log, larger = better
};

// The scores the hidden truth itself would give: the log-likelihood of what each film saw (and,
// with `use_cuts`, of its cut times on the beats) under each track, of a split ("" = all).
// What a film shows was made from its observation, so this is the ceiling of an evaluation (but for
// sections and pulses, which only tell what energy and cuts tell better).
// Throws: StoreError where the manifest or a truth file cannot be read.
HiddenTruth hidden_truth_scores(const std::filesystem::path& folder, const std::string& split,
                                bool use_cuts = true);

}  // namespace vmr::synth
