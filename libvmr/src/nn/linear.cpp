#include "vmr/nn/linear.h"

#include <ATen/autocast_mode.h>
#include <torch/nn/modules/linear.h>

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

// Seconds of a product of the size of these models' smaller ones, the best of a few.
template <typename Product>
double seconds_of(Product&& product) {
  using Clock = std::chrono::steady_clock;
  product();  // oneDNN compiles its kernel for the shape
  double best = 1e9;
  for (int turn = 0; turn < 5; ++turn) {
    const auto begin = Clock::now();
    product();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return best;
}

LinearBackend measured() {
  if (!has_onednn_linear()) return LinearBackend::mkl;
  const at::NoGradGuard no_grad;
  // Not drawn: the generators belong to the caller.
  const auto x = at::full({256, 512}, 0.5, at::kFloat),
             weight = at::full({512, 512}, 0.5, at::kFloat);
  const double mkl = seconds_of([&] { at::linear(x, weight); });
  const double onednn = seconds_of([&] { onednn_linear(x, weight, {}); });
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
