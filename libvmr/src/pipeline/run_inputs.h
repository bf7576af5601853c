// What a run says of itself, and whether a store holds what its model reads.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "vmr/pipeline/runs.h"

namespace vmr::pipeline {

// about.json of a run folder. Throws: StoreError where it is none.
nlohmann::json read_about(const std::filesystem::path& run_folder);

enum class ItemKinds { music, music_and_films };

// Names, row shapes and flow classes of the features; which weights made them is not looked at, so
// that runs whose encoders are unknown, as imported ones, are checked as well.
// Throws: InvalidArgument naming run, feature, what is expected, what the store has, what to do.
void check_inputs(const MatchingRun& run, const store::FeatureStore& store,
                  const std::filesystem::path& store_folder,
                  ItemKinds kinds = ItemKinds::music_and_films);

}  // namespace vmr::pipeline
