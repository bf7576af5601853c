// Embeddings and joint scores of a whole data set: what validation, evaluation and catalogues need.
// The model must be in evaluation mode; batches go to the device of its parameters, results come
// back to the CPU. Embeddings do not depend on the batch size. Thread-safe, also on one model.
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

// The same compared by `distance`, for vectors with these slices (MatchingModel::score_slices).
at::Tensor embedding_scores(const at::Tensor& films, const at::Tensor& tracks,
                            const std::vector<model::ScoreSlice>& slices, Distance distance);

// What joint scores need of all tracks or films (MatchingModel::prepare_*), [items, n] on the
// model's device, in the data set's order; nothing for a model that has no joint scores.
std::optional<at::Tensor> prepare_music(model::MatchingModel& model, const data::PairDataset& items,
                                        int64_t batch = 256);
std::optional<at::Tensor> prepare_films(model::MatchingModel& model, const data::PairDataset& items,
                                        int64_t batch = 256);

struct JointOptions {
  model::PairScoring scoring = model::PairScoring::own;
  // Items scored jointly for each query: the best by `first`; the others follow in its order.
  // 0 = the whole gallery.
  int64_t shortlist = 0;
  Distance distance = Distance::cosine;
};

// Joint scores [tracks] on the CPU of one prepared film [1, n] with prepared tracks [tracks, n].
// `first` [tracks]: the scores that choose a shortlist; read only where there is one. A shortlist
// of the whole gallery gives the bits of no shortlist.
at::Tensor joint_row(model::MatchingModel& model, const at::Tensor& film, const at::Tensor& music,
                     const at::Tensor& first, const JointOptions& options = {});

// The other way: joint scores [films] of prepared films [films, n] with one prepared track [1, n].
// A shortlist holds the films that are best by `first` [films]. Throws: InvalidArgument for
// gallery_mean, whose film depends on a gallery of tracks.
at::Tensor joint_column(model::MatchingModel& model, const at::Tensor& films,
                        const at::Tensor& track, const at::Tensor& first,
                        const JointOptions& options = {});

// Joint scores [films, tracks], each item prepared once; nothing for a model that has none, or when
// stopped. `first` [films, tracks]: the scores that choose a shortlist (embedding_scores). Each
// film has a shortlist of its own: rank along the tracks only where there is one.
std::optional<at::Tensor> joint_scores(model::MatchingModel& model, const data::PairDataset& items,
                                       const at::Tensor& first, const JointOptions& options = {},
                                       const RunControl& control = {});
// The same of what prepare_films and prepare_music gave: films [films, n], music [tracks, n].
std::optional<at::Tensor> joint_scores(model::MatchingModel& model, const at::Tensor& films,
                                       const at::Tensor& music, const at::Tensor& first,
                                       const JointOptions& options = {},
                                       const RunControl& control = {});
// The other way: each of the `asking` tracks (columns of `first`) has a shortlist of films of its
// own. Rank along the films only; columns that do not ask are those of `first`.
// Throws: InvalidArgument without a shortlist, or for another scoring than `own`.
std::optional<at::Tensor> joint_scores_of_tracks(model::MatchingModel& model,
                                                 const at::Tensor& films, const at::Tensor& music,
                                                 const at::Tensor& first,
                                                 const std::vector<int64_t>& asking,
                                                 const JointOptions& options,
                                                 const RunControl& control = {});

}  // namespace vmr::train
