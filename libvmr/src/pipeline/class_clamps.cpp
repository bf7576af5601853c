#include "vmr/pipeline/class_clamps.h"

#include "vmr/audio/rhythm.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/video/clip_flow.h"

namespace vmr::pipeline {
namespace {

template <typename Count>
void add(const store::FeatureStore& store, const store::FeatureKey& key, const Count& count) {
  try {
    if (const auto measures = store.find(key)) count(measures->values);
  } catch (const Error&) {
    // Damaged, or from elsewhere and none to be classified: counting is no check of the store.
  }
}

}  // namespace

ClassClamps count_clamped(const store::FeatureStore& store, const store::Manifest& manifest,
                          double clip_seconds) {
  audio::RhythmClassOptions options;
  options.clip_seconds = clip_seconds;
  ClassClamps clamps;
  for (const auto* track : manifest.of("music")) {
    add(store, {"rhythm_measures", "music", track->id}, [&](const at::Tensor& measures) {
      clamps.rhythm += audio::rhythm_classes(measures, options).clamped;
    });
  }
  const auto edges = stored_flow_edges(store);
  if (!edges) return clamps;
  for (const auto* film : manifest.of("film")) {
    add(store, {"clip_flow_measures", "film", film->id}, [&](const at::Tensor& measures) {
      clamps.flow += video::flow_classes(measures, *edges).clamped;
    });
  }
  return clamps;
}

}  // namespace vmr::pipeline
