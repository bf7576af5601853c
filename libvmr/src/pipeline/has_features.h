// Whether a store holds all that a recipe makes of an item.
#pragma once

#include "vmr/pipeline/extraction.h"
#include "vmr/store/feature_store.h"

namespace vmr::pipeline::detail {

bool has_features(const store::FeatureStore& store, const store::ManifestItem& item,
                  const ExtractRecipe& recipe);

}  // namespace vmr::pipeline::detail
