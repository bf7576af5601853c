// Golden comparison without stored weights: values are a hash of (name, index), the same in
// tests/golden/make_nn.py.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace vmr::test {

// offset + scale * u, u in [-1, 1).
inline at::Tensor formula_values(const std::string& name, at::IntArrayRef shape, double scale = 1,
                                 double offset = 0) {
  int64_t phase = 0, place = 0;
  for (const unsigned char byte : name) phase += ++place * byte;
  phase %= 1009;
  const auto values = at::empty(shape, at::kFloat);
  auto* out = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i) {
    const double wave = std::sin(double(i) * 12.9898 + double(phase)) * 43758.5453;
    out[i] = float(offset + scale * (2.0 * (wave - std::floor(wave)) - 1.0));
  }
  return values;
}

inline bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// Fills parameters and batch-norm averages by their names.
inline void fill_by_formula(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  const auto fill = [](const std::string& name, at::Tensor tensor) {
    if (ends_with(name, "num_batches_tracked")) return;
    const auto shape = tensor.sizes();
    if (ends_with(name, "running_var")) {
      tensor.copy_(formula_values(name, shape, 0.5, 1.0));
    } else if (shape.size() > 1) {
      const double fan = double(tensor.numel()) / double(shape[0]);
      tensor.copy_(formula_values(name, shape, 1.5 / std::sqrt(fan)));
    } else if (ends_with(name, "weight")) {
      tensor.copy_(formula_values(name, shape, 0.3, 1.0));
    } else {
      tensor.copy_(formula_values(name, shape, 0.2));
    }
  };
  for (const auto& item : module.named_parameters()) fill(item.key(), item.value());
  for (const auto& item : module.named_buffers()) fill(item.key(), item.value());
}

inline nlohmann::json golden(const std::string& name) {
  std::ifstream in(std::string(VMR_TEST_DATA) + "/" + name);
  EXPECT_TRUE(in) << name;
  return nlohmann::json::parse(in);
}

// Parameter and buffer names, sorted as the golden's.
inline std::vector<std::string> state_keys(const torch::nn::Module& module) {
  std::vector<std::string> keys;
  for (const auto& item : module.named_parameters()) keys.push_back(item.key());
  for (const auto& item : module.named_buffers()) keys.push_back(item.key());
  std::sort(keys.begin(), keys.end());
  return keys;
}

// Shape first, then the largest error against atol + rtol |expected|.
inline void expect_near(const at::Tensor& actual, const at::Tensor& expected, double atol = 1e-5,
                        double rtol = 1e-5) {
  ASSERT_EQ(actual.sizes(), expected.sizes());
  const auto a = actual.detach().to(at::kDouble), e = expected.detach().to(at::kDouble);
  const auto excess = ((a - e).abs() - atol - rtol * e.abs());
  const double worst = excess.numel() == 0 ? -1 : excess.max().item<double>();
  EXPECT_TRUE(worst <= 0) << "largest error " << (a - e).abs().max().item<double>();
}

inline void expect_golden(const at::Tensor& actual, const nlohmann::json& expected,
                          double atol = 1e-5, double rtol = 1e-5) {
  const auto shape = expected.at("shape").get<std::vector<int64_t>>();
  auto values = expected.at("values").get<std::vector<double>>();
  expect_near(actual, torch::tensor(values, at::kDouble).view(shape), atol, rtol);
}

// What every module must do; forward(module) returns a tensor of outputs. `make` gives a fresh one.
template <typename Module, typename Forward>
void expect_clones_saves_and_learns(Module module, Module fresh, Forward forward) {
  module->eval();
  fresh->eval();
  const auto expected = forward(module);
  const auto copied = std::dynamic_pointer_cast<typename Module::ContainedType>(module->clone());
  ASSERT_NE(copied, nullptr);
  EXPECT_TRUE(at::equal(forward(Module(copied)), expected)) << "clone";

  std::stringstream file;
  torch::save(module, file);
  EXPECT_FALSE(at::allclose(forward(fresh), expected)) << "fresh weights should differ";
  torch::load(fresh, file);
  EXPECT_TRUE(at::equal(forward(fresh), expected)) << "save and load";

  // A weighted sum, so that outputs a last norm makes sum to a constant still give gradients.
  const auto weights = formula_values("loss", expected.sizes());
  (forward(module) * weights).sum().backward();
  for (const auto& item : module->named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    // A key's bias moves all scores of a row alike: its gradient is zero but for rounding.
    if (ends_with(item.key(), "key_proj.bias")) continue;
    EXPECT_GT(item.value().grad().abs().max().template item<double>(), 0) << item.key();
  }
  // The clone has tensors of its own.
  for (const auto& item : copied->named_parameters()) EXPECT_FALSE(item.value().grad().defined());
}

}  // namespace vmr::test
