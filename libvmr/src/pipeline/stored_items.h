// The items a store is of: its manifest, which grows.
#pragma once

#include "vmr/store/feature_store.h"
#include "vmr/store/manifest.h"

namespace vmr::pipeline::detail {

// The store's own items and the added ones, which replace those of their id.
store::Manifest merged_manifest(const store::FeatureStore& store, const store::Manifest& added);

void keep_manifest(store::FeatureStore& store, const store::Manifest& manifest);

}  // namespace vmr::pipeline::detail
