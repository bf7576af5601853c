// One feature of one file, for people who want to look at it or take it elsewhere. Thread-safe.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "vmr/core/feature_track.h"

namespace vmr::pipeline {

// Names describe() knows, with a sentence each: {"fbank", "Kaldi filter bank [frames, 80] ..."}.
std::vector<std::pair<std::string, std::string>> describable_features();

struct Description {
  FeatureTrack track;
  std::vector<std::string> problems;  // what is wrong with the file, one sentence each
};

// The feature of the whole file with the default options; of a damaged file, of the part that can
// be decoded. Throws: InvalidArgument for an unknown name (nearest known one), MediaError for files
// that cannot be decoded.
Description describe(const std::filesystem::path& file, const std::string& feature,
                     std::stop_token stop = {});

// Whether the values are moments (beats, cuts): seconds, each row an empty interval there.
bool is_moments(const FeatureTrack& track);

// The track as CSV: start and end seconds of every row, then its values; of moments the seconds
// alone. Throws: InvalidArgument for rows of more than 4096 values.
std::string to_csv(const FeatureTrack& track);

}  // namespace vmr::pipeline
