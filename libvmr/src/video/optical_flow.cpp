#include "vmr/video/optical_flow.h"

#include <ATen/ops/empty.h>

#include <cmath>

#include "video/flow_pairs.h"
#include "video/tensor_checks.h"

namespace vmr::video {
namespace detail {

at::Tensor require_flow_input(const at::Tensor& grey, const char* function) {
  const at::Tensor source = require_uint8(grey, function, "uint8 grey frames [n, h, w]");
  VMR_CHECK(source.dim() == 3, function, ": expected grey frames [n, h, w], got ", describe(grey),
            "; call to_grey on RGB frames first");
  VMR_CHECK(source.size(1) >= kMinFlowPixels && source.size(2) >= kMinFlowPixels, function,
            ": frames must be at least ", kMinFlowPixels, " x ", kMinFlowPixels, " pixels, got ",
            source.size(1), " x ", source.size(2), "; enlarge them first");
  return source;
}

std::vector<float> mean_magnitudes(const at::Tensor& grey, const std::vector<FramePair>& pairs,
                                   const FlowOptions& options) {
  std::vector<float> means(pairs.size());
  const int64_t pixels = grey.size(1) * grey.size(2);
  flow_of_pairs(grey, pairs, options, [&](int64_t pair, const float* field) {
    double sum = 0.0;
    for (int64_t i = 0; i < pixels; ++i) {
      const float u = field[2 * i], v = field[2 * i + 1];
      sum += std::sqrt(u * u + v * v);
    }
    means[pair] = static_cast<float>(sum / static_cast<double>(pixels));
  });
  return means;
}

}  // namespace detail

namespace {

std::vector<detail::FramePair> consecutive_pairs(int64_t frames) {
  std::vector<detail::FramePair> pairs;
  for (int64_t i = 0; i + 1 < frames; ++i) pairs.emplace_back(i, i + 1);
  return pairs;
}

}  // namespace

void validate(const FarnebackOptions& options) {
  VMR_CHECK(options.pyramid_scale > 0 && options.pyramid_scale < 1,
            "FarnebackOptions: pyramid_scale must be in (0, 1), got ", options.pyramid_scale);
  VMR_CHECK(options.levels >= 0 && options.levels <= 32,
            "FarnebackOptions: levels must be in 0..32, got ", options.levels);
  VMR_CHECK(options.window >= 1 && options.window <= 1024,
            "FarnebackOptions: window must be in 1..1024 pixels, got ", options.window);
  VMR_CHECK(options.iterations >= 1 && options.iterations <= 1000,
            "FarnebackOptions: iterations must be in 1..1000, got ", options.iterations);
  VMR_CHECK(options.poly_n >= 1 && options.poly_n <= 64,
            "FarnebackOptions: poly_n must be in 1..64 pixels, got ", options.poly_n);
  VMR_CHECK(options.poly_sigma > 0 && std::isfinite(options.poly_sigma),
            "FarnebackOptions: poly_sigma must be above 0 pixels, got ", options.poly_sigma);
}

void validate(const FlowOptions& options) {
  validate(options.farneback);
  VMR_CHECK(options.threads >= 0, "FlowOptions: threads must be >= 0, got ", options.threads);
}

at::Tensor optical_flow(const at::Tensor& grey, const FlowOptions& options) {
  validate(options);
  const at::Tensor source = detail::require_flow_input(grey, "optical_flow");
  const auto pairs = consecutive_pairs(source.size(0));
  const int64_t h = source.size(1), w = source.size(2);
  at::Tensor flow =
      at::empty({static_cast<int64_t>(pairs.size()), 2, h, w}, source.options().dtype(at::kFloat));
  auto* planes = flow.mutable_data_ptr<float>();
  detail::flow_of_pairs(source, pairs, options, [&](int64_t pair, const float* field) {
    float* u = planes + pair * 2 * h * w;
    float* v = u + h * w;
    for (int64_t i = 0; i < h * w; ++i) {
      u[i] = field[2 * i];
      v[i] = field[2 * i + 1];
    }
  });
  return flow;
}

at::Tensor mean_magnitude(const at::Tensor& grey, const FlowOptions& options) {
  validate(options);
  const at::Tensor source = detail::require_flow_input(grey, "mean_magnitude");
  const auto means = detail::mean_magnitudes(source, consecutive_pairs(source.size(0)), options);
  at::Tensor result =
      at::empty({static_cast<int64_t>(means.size())}, source.options().dtype(at::kFloat));
  std::copy(means.begin(), means.end(), result.mutable_data_ptr<float>());
  return result;
}

}  // namespace vmr::video
