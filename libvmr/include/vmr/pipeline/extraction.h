// Extraction: media files in, FeatureTracks out. Every file is decoded once for all features of the
// recipe; every item is one atomic commit, so a run that was cut is resumed by starting it again.
// Functions are thread-safe; `extract` itself works on several items at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "vmr/audio/beat.h"
#include "vmr/core/feature_track.h"
#include "vmr/core/run_control.h"
#include "vmr/pipeline/recipe.h"
#include "vmr/store/feature_store.h"
#include "vmr/store/manifest.h"
#include "vmr/video/clip_flow.h"

namespace vmr::pipeline {

using NamedTracks = std::vector<std::pair<std::string, FeatureTrack>>;

// Features of one file, and what was wrong with it, one sentence each: of a damaged file the part
// that can be decoded is described.
struct Extracted {
  NamedTracks tracks;
  std::vector<std::string> problems;
};

// Features of one track. Throws: MediaError for files that cannot be decoded or are shorter than
// half a clip; InvalidArgument where the recipe asks for beats by aubio and `aubio` is empty.
Extracted extract_music(const std::filesystem::path& path, const ExtractRecipe& recipe,
                        const audio::ExternalBeatTracker& aubio = {}, std::stop_token stop = {});

// Features of one film, or of a zip archive of its pictures at recipe.fps. "clip_flow" classes by
// quantiles need all films and come later: see classify_clip_flow. Throws: as extract_music.
Extracted extract_film(const std::filesystem::path& path, const ExtractRecipe& recipe,
                       std::stop_token stop = {});

// Feature names of a kind ("film", "music") with their provenance, media_hash empty.
std::vector<std::pair<std::string, Provenance>> planned_features(const std::string& kind,
                                                                 const ExtractRecipe& recipe);

struct ExtractOptions {
  int shard_index = 0, shard_count = 1;  // this run does every shard_count-th item
  int threads = 0;                       // items at the same time; 0 = one per core
  int64_t max_bad = -1;                  // stop after so many failures; -1 = never
  audio::ExternalBeatTracker aubio;
};

struct ExtractSummary {
  int64_t items = 0, extracted = 0, already_there = 0;
  std::vector<ItemFailure> failures;  // also in <store>/quarantine.jsonl
  std::vector<ItemFailure> damaged;   // extracted, but the file has these problems
  double seconds = 0;
  double media_seconds = 0;  // duration of what was extracted
  bool interrupted = false;
  bool too_many_bad = false;  // stopped by max_bad: the rest was not tried
};

// Extracts every item of the manifest into the store (made when missing) and adds manifest and
// recipe to those it was filled from: an item of a known id is replaced, features are united. Once
// all items are in, quantile classes are fitted on the training films. Throws: StoreError,
// InvalidArgument where the store holds features of other options.
ExtractSummary extract(const store::Manifest& manifest, const std::filesystem::path& store_folder,
                       const ExtractRecipe& recipe, const ExtractOptions& options = {},
                       const RunControl& control = {});

// The manifest and recipe a store was filled from. Throws: StoreError where it has none.
store::Manifest stored_manifest(const store::FeatureStore& store);
ExtractRecipe stored_extract_recipe(const store::FeatureStore& store);

// Edges of the clip flow classes of a store: the paper's bins, or quantiles over the training
// films, fitted once and kept. Empty where clip_flow was not extracted.
std::optional<video::FlowClassEdges> stored_flow_edges(const store::FeatureStore& store);

// Fits the edges where the recipe wants quantiles and none are kept yet, and writes "clip_flow"
// [clips] int64 for every film that has measures but no classes. Returns the films written.
int64_t classify_clip_flow(store::FeatureStore& store, const store::Manifest& manifest,
                           const ExtractRecipe& recipe);

// Classes of one film's measures as a track of "clip_flow".
FeatureTrack clip_flow_track(const FeatureTrack& measures, const video::FlowClassEdges& edges);

}  // namespace vmr::pipeline
