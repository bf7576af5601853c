// Products through the oneDNN inside LibTorch, reached by operators looked up at run time: a
// LibTorch built without oneDNN has none. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

namespace vmr::nn {

bool has_onednn_linear();

// x [..., inputs], weight [outputs, inputs], bias [outputs] or undefined, float32 on the CPU ->
// [..., outputs], with gradients. Requires: has_onednn_linear().
at::Tensor onednn_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace vmr::nn
