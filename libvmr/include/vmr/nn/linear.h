// Linear layers over the faster of two kernels. LibTorch sends float32 products on the CPU to MKL,
// which takes a narrower path than it could on processors that are not Intel's; oneDNN in the same
// LibTorch does not. Which one this process uses is measured once, at the first product large
// enough to gain, in under 0.1 s; docs/design/0014-linear-backend.md tells what that means
// for repeating a run. Everything else (other devices and dtypes, small products, a LibTorch
// without oneDNN) is at::linear. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/options/linear.h>
#include <torch/nn/pimpl.h>

#include <string_view>

namespace vmr::nn {

// mkl: what at::linear calls.
enum class LinearBackend { automatic, mkl, onednn };

// Of the whole process, from the next product on; automatic measures anew. Before any call it is
// what the environment variable VMR_LINEAR says: auto (default), mkl or onednn.
// Throws: InvalidArgument for onednn where LibTorch has none.
void set_linear_backend(LinearBackend backend);

// What large products use: mkl or onednn, measured if need be. Throws: InvalidArgument where
// VMR_LINEAR is none of the three words, or onednn where LibTorch has none.
LinearBackend linear_backend();
std::string_view name_of(LinearBackend backend);

// x [..., inputs], weight [outputs, inputs], bias [outputs] or undefined -> x weight^T + bias,
// [..., outputs]. Both kernels agree to rounding.
at::Tensor apply_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});

// As torch::nn::Linear, with the same keys ("weight", "bias") and the same initial draws.
class LinearImpl : public torch::nn::Cloneable<LinearImpl> {
 public:
  LinearImpl(int64_t inputs, int64_t outputs)
      : LinearImpl(torch::nn::LinearOptions(inputs, outputs)) {}
  explicit LinearImpl(const torch::nn::LinearOptions& options_);
  void reset() override;
  at::Tensor forward(const at::Tensor& x) { return apply_linear(x, weight, bias); }

  torch::nn::LinearOptions options;
  at::Tensor weight, bias;  // [outputs, inputs]; [outputs] or undefined
};
TORCH_MODULE(Linear);

}  // namespace vmr::nn
