// Triplet margin and mean-square terms. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <initializer_list>
#include <utility>

namespace vmr::loss {

struct TripletOptions {
  double margin = 0.0;
  double epsilon = 1e-6;  // added to every difference, as torch's pairwise distance does
};

// anchor, positive, negative [batch, dim] -> scalar
//   mean max(0, |anchor - positive + epsilon| - |anchor - negative + epsilon| + margin).
// Anchor (0, 0), positive (3, 4), negative (0, 2): 5 - 2 = 3.
// Throws: InvalidArgument for unequal shapes or an empty batch.
at::Tensor triplet_margin(const at::Tensor& anchor, const at::Tensor& positive,
                          const at::Tensor& negative, const TripletOptions& options = {});

// Sum over pairs of the mean squared difference of all elements; both sides carry gradient. It is
// the regularising term (reconstructions against encodings) and the text term (decoded against
// sentence vectors) of UT-CMVMR. {(1, 3), (0, 0)}: (1 + 9) / 2 = 5.
// Throws: InvalidArgument for unequal shapes or no pair.
at::Tensor mean_squares(std::initializer_list<std::pair<at::Tensor, at::Tensor>> pairs);

}  // namespace vmr::loss
