// The golden file of tests/eval and small matrices written as lists.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "vmr/core/json_reader.h"

namespace vmr::eval {

using Ids = std::vector<int64_t>;

inline at::Tensor matrix(const std::vector<std::vector<double>>& rows,
                         at::ScalarType type = at::kDouble) {
  const auto width = static_cast<int64_t>(rows.at(0).size());
  at::Tensor result = at::empty({static_cast<int64_t>(rows.size()), width}, at::kDouble);
  for (size_t i = 0; i < rows.size(); ++i)
    std::copy(rows[i].begin(), rows[i].end(),
              result.data_ptr<double>() + static_cast<int64_t>(i) * width);
  return result.to(type);
}

inline const nlohmann::json& golden() {
  static const nlohmann::json document = read_json_file(VMR_TEST_DATA "/eval.json");
  return document;
}

}  // namespace vmr::eval
