// How much of rhythm and flow lies beyond the classes that models embed: such values are put into
// the last class (flow: the nearest), where they are told from its own no more. Thread-safe.
#pragma once

#include <cstdint>

#include "vmr/store/feature_store.h"
#include "vmr/store/manifest.h"

namespace vmr::pipeline {

struct ClassClamps {
  int64_t rhythm = 0;  // numbers of beats, strengths and intervals
  int64_t flow = 0;    // displacements of clips; 0 where the store has no edges yet
};

// Of what the store has of these items, however many runs made it. clip_seconds: length of the
// clips, to which the classes of intervals relate. Values that cannot be read are passed over:
// check_store lists them.
ClassClamps count_clamped(const store::FeatureStore& store, const store::Manifest& manifest,
                          double clip_seconds);

}  // namespace vmr::pipeline
