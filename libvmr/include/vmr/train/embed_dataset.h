// Embeddings and joint scores of a whole data set: what validation, evaluation and catalogues need.
// The model must be in evaluation mode; batches go to the device of its parameters, results come
// back to the CPU. Embeddings do not depend on the batch size. Not thread-safe on one model.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/data/pair_dataset.h"
#include "vmr/model/matching_model.h"

namespace vmr::train {

// [items, vectors, dim] float32 of all tracks or films in the data set's order.
at::Tensor embed_music(model::MatchingModel& model, const data::PairDataset& items,
                       int64_t batch = 256);
at::Tensor embed_films(model::MatchingModel& model, const data::PairDataset& items,
                       int64_t batch = 256);

// Mean over the vectors of their dot products: [films, vectors, dim] x [tracks, vectors, dim] ->
// [films, tracks]. Throws: InvalidArgument for other shapes.
at::Tensor embedding_scores(const at::Tensor& films, const at::Tensor& tracks);

struct JointOptions {
  model::PairScoring scoring = model::PairScoring::own;
  // Tracks scored jointly for each film: the best by `first`; the others follow in its order.
  // 0 = the whole gallery.
  int64_t shortlist = 0;
};

// Joint scores [films, tracks], each item prepared once; nothing for a model that has none, or when
// stopped. `first` [films, tracks]: the scores that choose a shortlist (embedding_scores).
std::optional<at::Tensor> joint_scores(model::MatchingModel& model, const data::PairDataset& items,
                                       const at::Tensor& first, const JointOptions& options = {},
                                       const RunControl& control = {});

}  // namespace vmr::train
