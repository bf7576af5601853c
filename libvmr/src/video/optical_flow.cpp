#include "vmr/video/optical_flow.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "video/farneback_batch.h"
#include "video/farneback_cpu.h"
#include "video/flow_pairs.h"
#include "video/opencv_cuda_flow.h"
#include "video/tensor_checks.h"
#include "vmr/video/frame.h"

namespace vmr::video {
namespace detail {
namespace {

// What to do about frames that are not taken; nothing where that is not known.
const char* how_to_mend(const at::Tensor& frames) {
  if (!frames.defined()) return "";
  if (frames.scalar_type() != at::kByte) return "; scale to 0..255 and convert to uint8";
  if (!frames.is_cpu()) return "; move them to the CPU";
  if (frames.dim() == 2) return "; a single frame is [1, h, w]";
  if (frames.dim() == 4 && frames.size(1) == 3) return "; move the channels last";
  if (frames.dim() == 4 && frames.size(3) == 4) return "; leave out the fourth channel";
  return "";
}

}  // namespace

void check_flow_size(const at::Tensor& frames, const char* function) {
  VMR_CHECK(frames.size(1) >= kMinFlowPixels && frames.size(2) >= kMinFlowPixels, function,
            ": frames must be at least ", kMinFlowPixels, " x ", kMinFlowPixels, " pixels, got ",
            frames.size(1), " x ", frames.size(2), "; enlarge them first");
  VMR_CHECK(frames.size(1) <= kMaxFlowPixels && frames.size(2) <= kMaxFlowPixels, function,
            ": frames may have up to ", kMaxFlowPixels, " pixels a side, got ", frames.size(1),
            " x ", frames.size(2), "; shrink them first");
}

at::Tensor require_flow_input(const at::Tensor& frames, const char* function) {
  const bool colour = frames.defined() && frames.dim() == 4;
  VMR_CHECK(frames.defined() && frames.scalar_type() == at::kByte && frames.device().is_cpu() &&
                (frames.dim() == 3 || (colour && frames.size(3) == 3)),
            function, ": expected uint8 frames [n, h, w] or [n, h, w, 3] on the CPU, got ",
            describe(frames), how_to_mend(frames));
  check_flow_size(frames, function);
  return colour ? to_grey(frames) : frames.contiguous();
}

std::vector<float> mean_magnitudes(const at::Tensor& grey, const std::vector<FramePair>& pairs,
                                   const FlowOptions& options) {
  std::vector<float> means(pairs.size());
  const Size size{static_cast<int>(grey.size(2)), static_cast<int>(grey.size(1))};
  const auto& kernels = best_farneback_kernels();
  flow_of_pairs(grey, pairs, options, [&](int64_t pair, Planes field) {
    means[pair] = static_cast<float>(kernels.lengths(size, field) /
                                     (double(size.width) * double(size.height)));
  });
  return means;
}

}  // namespace detail

namespace {

bool on_cuda(const at::Tensor& frames) { return frames.defined() && frames.is_cuda(); }

std::vector<detail::FramePair> consecutive_pairs(int64_t frames) {
  std::vector<detail::FramePair> pairs;
  for (int64_t i = 0; i + 1 < frames; ++i) pairs.emplace_back(i, i + 1);
  return pairs;
}

at::Tensor fields(const at::Tensor& grey, const std::vector<detail::FramePair>& pairs,
                  const FlowOptions& options) {
  const int64_t h = grey.size(1), w = grey.size(2);
  at::Tensor flow =
      at::empty({static_cast<int64_t>(pairs.size()), 2, h, w}, grey.options().dtype(at::kFloat));
  auto* values = flow.mutable_data_ptr<float>();
  detail::flow_of_pairs(grey, pairs, options, [&](int64_t pair, detail::Planes field) {
    for (int64_t plane = 0; plane < detail::kFlowPlanes; ++plane) {
      for (int64_t y = 0; y < h; ++y) {
        std::copy_n(field.row(y, plane), w,
                    values + ((pair * detail::kFlowPlanes + plane) * h + y) * w);
      }
    }
  });
  return flow;
}

}  // namespace

// Narrower weights leave nothing to fit a curve to but the pixel itself.
constexpr double kMinPolySigma = 0.2;

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
  VMR_CHECK(options.poly_sigma >= kMinPolySigma && std::isfinite(options.poly_sigma),
            "FarnebackOptions: poly_sigma must be at least ", kMinPolySigma, " pixels, got ",
            options.poly_sigma);
}

void validate(const FlowOptions& options) {
  validate(options.farneback);
  VMR_CHECK(options.threads >= 0, "FlowOptions: threads must be >= 0, got ", options.threads);
  VMR_CHECK(options.workspace_bytes >= 0, "FlowOptions: workspace_bytes must be >= 0, got ",
            options.workspace_bytes);
}

at::Tensor optical_flow(const at::Tensor& frames, const FlowOptions& options) {
  validate(options);
  if (on_cuda(frames)) {
    if (options.method == FlowMethod::farneback_cudaoptflow) {
      VMR_CHECK(frames.dim() == 3,
                "optical_flow: expected grey uint8 frames [n, h, w] on a CUDA device, got ",
                detail::describe(frames));
      const int64_t pairs = std::max<int64_t>(frames.size(0) - 1, 0);
      return detail::cudaoptflow_between("optical_flow", frames.slice(0, 0, pairs),
                                         frames.slice(0, frames.size(0) - pairs), options);
    }
    return detail::farneback_on_cuda("optical_flow", {frames}, options, detail::FlowResult::fields);
  }
  const at::Tensor grey = detail::require_flow_input(frames, "optical_flow");
  return fields(grey, consecutive_pairs(grey.size(0)), options);
}

at::Tensor flow_between(const at::Tensor& from, const at::Tensor& to, const FlowOptions& options) {
  validate(options);
  if (on_cuda(from) || on_cuda(to)) {
    if (options.method == FlowMethod::farneback_cudaoptflow) {
      return detail::cudaoptflow_between("flow_between", from, to, options);
    }
    return detail::farneback_on_cuda("flow_between", {from, to}, options,
                                     detail::FlowResult::fields);
  }
  const at::Tensor first = detail::require_flow_input(from, "flow_between");
  const at::Tensor second = detail::require_flow_input(to, "flow_between");
  VMR_CHECK(first.sizes() == second.sizes(),
            "flow_between: expected as many frames of one size in ", "from and to, got ",
            first.sizes(), " and ", second.sizes());
  std::vector<detail::FramePair> pairs;
  for (int64_t i = 0; i < first.size(0); ++i) pairs.emplace_back(i, first.size(0) + i);
  return fields(at::cat({first, second}), pairs, options);
}

at::Tensor magnitude_map(const at::Tensor& frames, const FlowOptions& options) {
  validate(options);
  if (on_cuda(frames)) {
    return detail::farneback_on_cuda("magnitude_map", {frames}, options,
                                     detail::FlowResult::lengths);
  }
  const at::Tensor grey = detail::require_flow_input(frames, "magnitude_map");
  const auto pairs = consecutive_pairs(grey.size(0));
  const int64_t h = grey.size(1), w = grey.size(2);
  at::Tensor map =
      at::empty({static_cast<int64_t>(pairs.size()), h, w}, grey.options().dtype(at::kFloat));
  auto* lengths = map.mutable_data_ptr<float>();
  detail::flow_of_pairs(grey, pairs, options, [&](int64_t pair, detail::Planes field) {
    for (int64_t y = 0; y < h; ++y) {
      const float *u = field.row(y, 0), *v = field.row(y, 1);
      float* row = lengths + (pair * h + y) * w;
      for (int64_t x = 0; x < w; ++x) row[x] = std::sqrt(u[x] * u[x] + v[x] * v[x]);
    }
  });
  return map;
}

at::Tensor direction_histogram(const at::Tensor& frames, int64_t bins, const FlowOptions& options) {
  validate(options);
  VMR_CHECK(bins >= 1 && bins <= 3600, "direction_histogram: expected 1 to 3600 bins, got ", bins);
  if (on_cuda(frames)) {
    return detail::farneback_on_cuda("direction_histogram", {frames}, options,
                                     detail::FlowResult::directions, bins);
  }
  const at::Tensor grey = detail::require_flow_input(frames, "direction_histogram");
  const auto pairs = consecutive_pairs(grey.size(0));
  const int64_t h = grey.size(1), w = grey.size(2);
  at::Tensor histogram =
      at::empty({static_cast<int64_t>(pairs.size()), bins}, grey.options().dtype(at::kFloat));
  auto* values = histogram.mutable_data_ptr<float>();
  detail::flow_of_pairs(grey, pairs, options, [&](int64_t pair, detail::Planes field) {
    std::vector<double> sums(static_cast<size_t>(bins));
    for (int64_t y = 0; y < h; ++y) {
      const float *u = field.row(y, 0), *v = field.row(y, 1);
      for (int64_t x = 0; x < w; ++x) {
        const double length = std::sqrt(u[x] * u[x] + v[x] * v[x]);
        if (!std::isfinite(length)) continue;
        const int bin = detail::direction_bin(u[x], v[x], static_cast<int>(bins));
        sums[static_cast<size_t>(bin)] += length;
      }
    }
    for (int64_t i = 0; i < bins; ++i) {
      values[pair * bins + i] =
          static_cast<float>(sums[static_cast<size_t>(i)] / static_cast<double>(h * w));
    }
  });
  return histogram;
}

at::Tensor mean_magnitude(const at::Tensor& frames, const FlowOptions& options) {
  validate(options);
  if (on_cuda(frames)) {
    return detail::farneback_on_cuda("mean_magnitude", {frames}, options,
                                     detail::FlowResult::mean_length);
  }
  const at::Tensor source = detail::require_flow_input(frames, "mean_magnitude");
  const auto means = detail::mean_magnitudes(source, consecutive_pairs(source.size(0)), options);
  at::Tensor result =
      at::empty({static_cast<int64_t>(means.size())}, source.options().dtype(at::kFloat));
  std::copy(means.begin(), means.end(), result.mutable_data_ptr<float>());
  return result;
}

}  // namespace vmr::video
