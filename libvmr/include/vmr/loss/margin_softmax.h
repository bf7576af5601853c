// Softmax cross entropy with an additive margin on the right class: the tag classifier of the
// UT-CMVMR reference (section 14.4), after CosFace (arXiv 1801.09414). Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

namespace vmr::loss {

struct MarginSoftmaxOptions {
  double margin = 0.35;  // subtracted from the score of the right class
  double scale = 30.0;   // of all scores before the softmax
};

struct MarginSoftmaxResult {
  at::Tensor loss;      // scalar with gradient, mean over rows
  at::Tensor accuracy;  // scalar: rows whose right class stays the largest in spite of the margin
};

// scores [batch, classes], labels [batch] int64 in [0, classes). loss = cross entropy of
// scale * (scores - margin at the label). Example: scores {{1, 0.65}}, label 0, defaults: both are
// 0.65 after the margin, loss = ln 2.
// Throws: InvalidArgument for other shapes or labels out of range.
MarginSoftmaxResult margin_softmax(const at::Tensor& scores, const at::Tensor& labels,
                                   const MarginSoftmaxOptions& options = {});

}  // namespace vmr::loss
