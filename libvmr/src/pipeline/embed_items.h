// One item's tracks as a batch of one, and many items' embeddings from a dataset: the two ways by
// which features reach a matching model outside training.
#pragma once

#include <ATen/core/Tensor.h>

#include "vmr/data/batch.h"
#include "vmr/data/pair_dataset.h"
#include "vmr/model/matching_model.h"
#include "vmr/pipeline/extraction.h"

namespace vmr::pipeline {

// Picks the inputs among the tracks: floating values become float32, whole numbers int64, rows
// beyond max_rows are cut; the mask is all true. Throws: InvalidArgument naming a missing feature.
data::FeatureMap batch_of_one(const NamedTracks& tracks,
                              const std::vector<model::InputSpec>& inputs,
                              const c10::Device& device);

// [items, vectors, dim] float32 on the CPU of all tracks or films of a data set, in its order.
at::Tensor embed_all_music(model::MatchingModel& model, const data::PairDataset& items,
                           const c10::Device& device);
at::Tensor embed_all_films(model::MatchingModel& model, const data::PairDataset& items,
                           const c10::Device& device);

// Mean over the vectors of their dot products: [films, vectors, dim] x [tracks, vectors, dim] ->
// [films, tracks].
at::Tensor embedding_scores(const at::Tensor& films, const at::Tensor& tracks);

}  // namespace vmr::pipeline
