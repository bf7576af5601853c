// Reading score matrices: rows of float or double seen as double, and the one order of scores.
#pragma once

#include <ATen/core/Tensor.h>

#include <cmath>
#include <vector>

#include "vmr/core/error.h"

namespace vmr::eval {

// NaN is below everything, -infinity included.
inline bool is_better(double a, double b) { return std::isnan(b) ? !std::isnan(a) : a > b; }
inline bool is_tied(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

class ScoreRows {
 public:
  ScoreRows(const char* function, const at::Tensor& scores)
      : scores_(scores.defined() ? scores.contiguous() : scores) {
    VMR_CHECK(scores.defined() && scores.dim() == 2 && scores.device().is_cpu() &&
                  (scores.scalar_type() == at::kFloat || scores.scalar_type() == at::kDouble),
              function, ": expected scores [queries, gallery] float32 or float64 on the CPU, got ",
              scores.defined() ? scores.toString() : "nothing", " with ",
              scores.defined() ? scores.dim() : 0, " axes");
  }

  int64_t rows() const { return scores_.size(0); }
  int64_t columns() const { return scores_.size(1); }

  // Valid until the next call.
  const std::vector<double>& row(int64_t index) {
    const int64_t n = columns();
    if (scores_.scalar_type() == at::kDouble) {
      const double* from = scores_.const_data_ptr<double>() + index * n;
      row_.assign(from, from + n);
    } else {
      const float* from = scores_.const_data_ptr<float>() + index * n;
      row_.assign(from, from + n);
    }
    return row_;
  }

 private:
  at::Tensor scores_;
  std::vector<double> row_;
};

}  // namespace vmr::eval
