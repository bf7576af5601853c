// Matching classifier's rows and loss: does this music belong to this video? Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

namespace vmr::loss {

// Rows [music ; video] of width 2 * dim: first the batch of true pairs, then (music, negative
// video), then (negative music, video). All inputs [batch, dim] -> [3 * batch, 2 * dim].
at::Tensor matching_rows(const at::Tensor& music, const at::Tensor& video,
                         const at::Tensor& negative_music, const at::Tensor& negative_video);

struct MatchingResult {
  at::Tensor loss;      // scalar, mean cross entropy
  at::Tensor accuracy;  // scalar without gradient, share of rows whose larger logit is right
};

// logits [rows, 2] (column 1 = matches); the first `positives` rows match, the others do not.
// Logits of (0, 0) in every row: loss ln 2. Throws: InvalidArgument for other shapes.
MatchingResult matching_cross_entropy(const at::Tensor& logits, int64_t positives);

}  // namespace vmr::loss
