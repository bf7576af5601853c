// One item's tracks as a batch of one, as a film reaches a matching model without a store.
#pragma once

#include <ATen/core/Tensor.h>

#include "vmr/data/batch.h"
#include "vmr/model/matching_model.h"
#include "vmr/pipeline/extraction.h"

namespace vmr::pipeline {

// Picks the inputs among the tracks: floating values become float32, whole numbers int64, rows
// beyond max_rows are cut; the mask is all true. Throws: InvalidArgument naming a missing feature.
data::FeatureMap batch_of_one(const NamedTracks& tracks,
                              const std::vector<model::InputSpec>& inputs,
                              const c10::Device& device);

}  // namespace vmr::pipeline
