// The space of a catalogue's vectors.
#pragma once

#include "vmr/core/hash.h"
#include "vmr/pipeline/runs.h"
#include "vmr/retrieval/catalogue.h"

namespace vmr::pipeline::detail {

// Films and tracks are comparable when model and inputs are the same.
inline retrieval::Space space_of(const MatchingRun& run) {
  return {hash_text(run.weights_hash + run.about.at("features").dump()), run.model->embedding_dim(),
          run.model->vectors_per_item()};
}

}  // namespace vmr::pipeline::detail
