// Sentence vectors of a store's tags, and the encoder that made them: kept in the store like the
// clip encoders, so that whatever is built from the store can carry both.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "vmr/data/tag_vectors.h"
#include "vmr/store/feature_store.h"
#include "vmr/store/manifest.h"

namespace vmr::pipeline {

inline constexpr const char* kTagFeature = "tag_vector";  // [1, dim] float32, kind "tag", id = tag

// The tags that have vectors: the first ones of the items, sorted.
std::vector<std::string> first_tags(const store::Manifest& manifest);
// Vectors of every first tag of the manifest: those of the store where it has them, of `dim` values
// by formula otherwise; none where there are no tags or dim is 0.
// Throws: InvalidArgument where the store lacks some tag's vector.
data::TagVectors tag_vectors(const store::FeatureStore& store, const store::Manifest& manifest,
                             int64_t dim);
// Dim of the store's sentence vectors; 0 where it has none.
int64_t stored_text_dim(const store::FeatureStore& store);
// Where a store keeps the sentence encoder's folder.
std::filesystem::path text_encoder_folder(const std::filesystem::path& store_folder);

}  // namespace vmr::pipeline
