#include "vmr/nn/linear.h"

#include <ATen/autocast_mode.h>
#include <torch/nn/modules/linear.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>

#include "nn/onednn_linear.h"
#include "vmr/core/error.h"

namespace vmr::nn {
namespace {

// Below these sizes oneDNN gains nothing over the cost of preparing a call.
constexpr int64_t kLeastRows = 64, kLeastFeatures = 64, kLeastProduct = 1 << 24;
// What oneDNN must gain, so that noise does not choose where both are alike.
constexpr double kWorthwhile = 0.97;

constexpr std::array<std::pair<std::string_view, LinearBackend>, 3> kNames = {
    {{"auto", LinearBackend::automatic},
     {"mkl", LinearBackend::mkl},
     {"onednn", LinearBackend::onednn}}};

// A product as a layer's value takes it and one as its input's gradient does, of these models'
// smaller sizes, by turns; the best turn of each kernel counts, so that a busy machine does not
// choose.
LinearBackend measured() {
  if (!has_onednn_linear()) return LinearBackend::mkl;
  const at::NoGradGuard no_grad;
  // Not drawn: the generators belong to the caller.
  const auto x = at::full({256, 512}, 0.5, at::kFloat), g = at::full({256, 1024}, 0.5, at::kFloat);
  const auto weight = at::full({1024, 512}, 0.5, at::kFloat), turned = weight.t();
  const auto seconds_of = [&](auto&& product) {
    const auto begin = std::chrono::steady_clock::now();
    product(x, weight, at::Tensor());
    product(g, turned, at::Tensor());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  double mkl = 1e9, onednn = 1e9;
  for (int turn = 0; turn < 8; ++turn) {  // the first compiles oneDNN's kernels
    mkl = std::min(mkl, seconds_of([](auto&&... of) { at::linear(of...); }));
    onednn = std::min(onednn, seconds_of(onednn_linear));
  }
  return onednn < kWorthwhile * mkl ? LinearBackend::onednn : LinearBackend::mkl;
}

LinearBackend checked(LinearBackend backend) {
  VMR_CHECK(backend != LinearBackend::onednn || has_onednn_linear(),
            "linear backend onednn: this LibTorch has no oneDNN; take auto or mkl");
  return backend;
}

LinearBackend asked_by_environment() {
  const char* text = std::getenv("VMR_LINEAR");
  if (text == nullptr || *text == '\0') return LinearBackend::automatic;
  for (const auto& [name, backend] : kNames) {
    if (name == text) return checked(backend);
  }
  throw InvalidArgument(
      detail::concat("VMR_LINEAR: expected auto, mkl or onednn, got \"", text, "\""));
}

struct Choice {
  std::mutex mutex;
  bool asked = false;  // the environment, or a caller
  std::atomic<LinearBackend> backend{LinearBackend::automatic};
};

Choice& choice() {
  static Choice process;
  return process;
}

// [rows, features] products on plain CPU memory which are large enough.
bool suits_onednn(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const auto plain = [](const at::Tensor& t) {
    return t.device().is_cpu() && t.scalar_type() == at::kFloat && t.layout() == at::kStrided;
  };
  if (!plain(x) || !plain(weight) || (bias.defined() && !plain(bias))) return false;
  if (bias.defined() && (bias.dim() != 1 || bias.size(0) != weight.size(0))) return false;
  if (x.dim() < 2 || weight.dim() != 2 || x.size(-1) != weight.size(1)) return false;
  const auto inputs = weight.size(1), outputs = weight.size(0);
  const auto rows = inputs == 0 ? 0 : x.numel() / inputs;
  return rows >= kLeastRows && std::min(inputs, outputs) >= kLeastFeatures &&
         rows * inputs * outputs >= kLeastProduct && !at::autocast::is_autocast_enabled(at::kCPU);
}

}  // namespace

void set_linear_backend(LinearBackend backend) {
  auto& c = choice();
  const std::lock_guard<std::mutex> lock(c.mutex);
  c.backend = checked(backend);
  c.asked = true;
}

LinearBackend linear_backend() {
  auto& c = choice();
  if (const auto known = c.backend.load(); known != LinearBackend::automatic) return known;
  const std::lock_guard<std::mutex> lock(c.mutex);
  if (!c.asked) c.backend = asked_by_environment();
  c.asked = true;
  if (c.backend == LinearBackend::automatic) c.backend = measured();
  return c.backend;
}

std::string_view name_of(LinearBackend backend) {
  for (const auto& [name, known] : kNames) {
    if (known == backend) return name;
  }
  VMR_ASSERT(false, "linear backend ", static_cast<int>(backend));
}

at::Tensor apply_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (!suits_onednn(x, weight, bias) || linear_backend() != LinearBackend::onednn) {
    return at::linear(x, weight, bias);
  }
  return onednn_linear(x, weight, bias);
}

LinearImpl::LinearImpl(const torch::nn::LinearOptions& options_) : options(options_) { reset(); }

void LinearImpl::reset() {
  const torch::nn::LinearImpl drawn(options);
  weight = register_parameter("weight", drawn.weight);
  bias = register_parameter("bias", drawn.bias, /*requires_grad=*/drawn.bias.defined());
}

}  // namespace vmr::nn
