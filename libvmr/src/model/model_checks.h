// What all models check, in the same words.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include "vmr/core/error.h"

namespace vmr::model {

constexpr double kLargestDim = 1e6;

// Throws: InvalidArgument naming the model `who`, field, value and range.
template <typename Number>
void check_range(const char* who, const char* field, Number value, double low, double high) {
  VMR_CHECK(value >= low && value <= high, who, ": ", field, " = ", value, ", expected in [", low,
            ", ", high, "]");
}

// For embeddings, which must not depend on the rest of the batch.
inline void check_evaluating(const torch::nn::Module& model, const char* who) {
  VMR_CHECK(!model.is_training(), who, ": the model is in training mode; call eval() first");
}

// For losses: as many tracks as films, and two where batch statistics are taken.
inline void check_pairs(const torch::nn::Module& model, const at::Tensor& music,
                        const at::Tensor& video, const char* who) {
  const int64_t fewest = model.is_training() ? 2 : 1;
  VMR_CHECK(music.size(0) == video.size(0) && music.size(0) >= fewest, who, ": expected at least ",
            fewest, " pairs, got ", music.size(0), " music and ", video.size(0), " video items");
}

}  // namespace vmr::model
