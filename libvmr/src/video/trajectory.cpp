#include "vmr/video/trajectory.h"

#include <ATen/ops/zeros.h>

#include "video/tensor_checks.h"

namespace vmr::video {

at::Tensor flow_trajectory(const at::Tensor& grey, const FlowOptions& options) {
  const at::Tensor magnitudes = mean_magnitude(grey, options);
  const int64_t frames = grey.size(0);
  at::Tensor values = at::zeros({frames}, magnitudes.options());
  if (frames < 2) return values;
  const auto* pair = magnitudes.const_data_ptr<float>();
  auto* value = values.mutable_data_ptr<float>();
  value[0] = pair[0];
  std::copy(pair, pair + frames - 1, value + 1);
  return values;
}

}  // namespace vmr::video
