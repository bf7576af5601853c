// Features that were computed elsewhere (VGGish, ResNet, sentence vectors): a folder of files, one
// an item, becomes a feature of a store, so that models train on it as on features of ours. Bad
// files are listed and the rest goes on; of a file that is bad nothing is kept. Thread-safe on
// different stores.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/store/manifest.h"

namespace vmr::pipeline {

struct FeatureFiles {
  // ID.npy: [rows, dim] or [dim], float16, float32 or float64. Raw, ID.bin, ID.dat or ID.f32:
  // [rows, dim] float32, little-endian, nothing before and behind. Other files and folders in it
  // are passed over.
  std::filesystem::path folder;
  std::string kind;     // "film", "music", or "tag": one vector a tag, which is its sentence vector
  std::string feature;  // name in the store; tags: "tag_vector", also where this is empty
  bool raw = false;
  int64_t dim = 0;  // values of a row; 0 = as in the first file that can be read, not for raw files
  // Row i covers [i * hop_seconds, i * hop_seconds + clip_seconds). A [dim] file is a vector of the
  // whole item, and a tag has no time: their row has the empty interval at 0.
  double clip_seconds = 4;
  std::optional<double> hop_seconds;  // clip_seconds without it
  std::string prefix;   // of the file names, no part of the id; files without it are passed over
  std::string made_by;  // kept with the values: features made by different means do not mix
  // Items added to those of the store, as `extract` does. Without, and where the store has none
  // either, every file is an item.
  std::optional<store::Manifest> manifest;
};

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const FeatureFiles& files);

struct ImportedFiles {
  std::string feature;
  int64_t items = 0, rows = 0, dim = 0;
  int64_t passed_over = 0;            // files that are no feature files
  std::vector<ItemFailure> problems;  // files left out, and items without a file
};

// Values become [rows, dim] float32, [1, dim] for [dim], with provenance "imported" and the hash of
// the file as their media hash. A file may be named file_name_of(id) for its item. Items that were
// imported before in the same way are replaced. Where nothing can be imported no store is made.
// Vectors of tags take the place of a sentence encoder in the store.
// Throws: StoreError; InvalidArgument for a folder without feature files, and where the store has
// the feature from elsewhere.
ImportedFiles import_features(const FeatureFiles& files, const std::filesystem::path& store_folder,
                              const RunControl& control = {});

// The id with "_" for what no file name has: "/", "\" and the zero byte.
std::string file_name_of(const std::string& id);

}  // namespace vmr::pipeline
