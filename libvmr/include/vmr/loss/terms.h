// Named loss terms: what a model returns for a batch, so that logs show every term and recipes
// weight them by name. Not thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace vmr::loss {

struct Terms {
  // Scalars with gradient, unweighted, in a fixed order.
  std::vector<std::pair<std::string, at::Tensor>> values;
  // Weight of each, same order. total = sum weight * value.
  std::vector<double> weights;
  // Scalars for the log only (accuracy, ...), without gradient.
  std::vector<std::pair<std::string, double>> monitors;

  void add(std::string name, double weight, at::Tensor value) {
    values.emplace_back(std::move(name), std::move(value));
    weights.push_back(weight);
  }
  // Throws: InvalidArgument without terms.
  at::Tensor total() const;
};

}  // namespace vmr::loss
