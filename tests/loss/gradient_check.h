// Gradients against central differences in double.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace vmr::test {

// loss(inputs) -> scalar; inputs [any] double. Every element of every input is moved by 1e-6.
inline void expect_gradients(const std::function<at::Tensor(const std::vector<at::Tensor>&)>& loss,
                             std::vector<at::Tensor> inputs, double tolerance = 1e-7) {
  for (auto& input : inputs) input = input.detach().clone().requires_grad_(true);
  loss(inputs).backward();
  const double step = 1e-6;
  for (size_t which = 0; which < inputs.size(); ++which) {
    ASSERT_TRUE(inputs[which].grad().defined()) << "input " << which;
    const auto gradient = inputs[which].grad().contiguous();
    const auto base = inputs[which].detach();
    for (int64_t i = 0; i < base.numel(); ++i) {
      const auto moved = [&](double by) {
        auto changed = inputs;
        changed[which] = base.clone();
        changed[which].data_ptr<double>()[i] += by;
        return loss(changed).item<double>();
      };
      const double expected = (moved(step) - moved(-step)) / (2 * step);
      EXPECT_NEAR(gradient.data_ptr<double>()[i], expected, tolerance)
          << "input " << which << " element " << i;
    }
  }
}

inline at::Tensor doubles(std::vector<double> values, at::IntArrayRef shape) {
  return at::tensor(values, at::kDouble).view(shape);
}

}  // namespace vmr::test
