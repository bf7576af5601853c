// What the systems of a results table share and are compared on: encoders that mean the same under
// one name, and the items that are ranked. Both are settled before a system is trained.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "vmr/pipeline/table.h"
#include "vmr/store/feature_store.h"
#include "vmr/store/manifest.h"

namespace vmr::pipeline {

// Pre-trains what the store lacks into out/encoders and writes it to the store; false where
// stopped. Throws: InvalidArgument where two systems mean different encoders by one name, where the
// store holds another one than a recipe asks for, and where items lack its features.
bool make_encoders(const TableSpec& spec, const std::filesystem::path& store_folder,
                   const std::filesystem::path& out, const TableOptions& options,
                   const RunControl& control);

// {"conformer_audio": the fingerprint of the features that were compared with}.
nlohmann::json encoder_fingerprints(const TableSpec& spec, const store::FeatureStore& store);

struct TableItems {
  std::vector<std::string> films, tracks;  // of the split, ranked by every system
  std::vector<ItemFailure> left_out;
};
// Throws: InvalidArgument naming the items that some systems would rank and others not.
TableItems common_items(const TableSpec& spec, const store::FeatureStore& store,
                        const store::Manifest& manifest, const std::string& split,
                        const RunControl& control);

}  // namespace vmr::pipeline
