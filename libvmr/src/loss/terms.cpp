#include "vmr/loss/terms.h"

#include <ATen/ops/add.h>
#include <ATen/ops/mul.h>

#include "vmr/core/error.h"

namespace vmr::loss {

at::Tensor Terms::total() const {
  VMR_CHECK(!values.empty(), "Terms::total: no terms; the model's loss added none");
  VMR_CHECK(values.size() == weights.size(), "Terms::total: ", values.size(), " terms and ",
            weights.size(), " weights; use add()");
  at::Tensor sum;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto part = at::mul(values[i].second, weights[i]);
    sum = sum.defined() ? at::add(sum, part) : part;
  }
  return sum;
}

}  // namespace vmr::loss
