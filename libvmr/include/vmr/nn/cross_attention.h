// Two vectors of different kinds attend to each other as a sequence of two: UT-CMVMR's interaction
// of a music and a video (arXiv 2309.09421). With s = [first + position_0 ; second + position_1]
// and o = encoder(s), the results are first + o_0 and second + o_1. Thread-safe in eval().
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>

#include "vmr/nn/transformer_encoder.h"

namespace vmr::nn {

// first, second [batch, dim], positions [2, dim] -> both attended, [batch, dim] each.
// Requires: encoder of dim -> dim. Throws: InvalidArgument for other shapes.
std::pair<at::Tensor, at::Tensor> attend_pair(TransformerEncoder& encoder,
                                              const at::Tensor& positions, const at::Tensor& first,
                                              const at::Tensor& second);

// Only the attended `own`, whose partner stands at the other place: own_place 0 = first, 1 =
// second. partner [dim] is the same for every row: what an item looks at when its partner is
// unknown.
at::Tensor attend_alone(TransformerEncoder& encoder, const at::Tensor& positions,
                        const at::Tensor& own, const at::Tensor& partner, int64_t own_place);

}  // namespace vmr::nn
