#include "video/farneback_cpu.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "vmr/core/parallel.h"

namespace vmr::video::detail {
namespace {

AxisView view(const AxisFilter& axis) {
  return {axis.first.data(), axis.weights.data(), axis.stride,
          axis.inputs,       axis.outputs,        axis.taps};
}

ExpansionView expansion_view(const FarnebackPlan& plan) {
  return {plan.g.data(), plan.xg.data(), plan.xxg.data(), plan.poly_n, plan.scale};
}

WindowView window_view(const FarnebackPlan& plan) {
  return {plan.radius, plan.box_weight, plan.window.empty() ? nullptr : plan.window.data()};
}

int64_t scratch_floats(const FarnebackPlan& plan) {
  const int64_t expansion = 3 * row_floats(plan.width + 2 * plan.poly_n);
  // A vector may be read whole at the end of the last row.
  return std::max(expansion, window_scratch(plan.width, plan.radius)) + 64;
}

// Bands smaller than this do not pay for a thread.
constexpr int kBandRows = 64;

}  // namespace

const FarnebackKernels& best_farneback_kernels() {
  if (const auto* kernels = farneback_avx512()) return *kernels;
  if (const auto* kernels = farneback_avx2()) return *kernels;
  return *farneback_portable();
}

void FarnebackWorker::Free::operator()(float* p) const { std::free(p); }

FarnebackWorker::FarnebackWorker(const FarnebackPlan& plan, const FarnebackKernels& kernels,
                                 int threads)
    : plan_(plan),
      kernels_(kernels),
      threads_(std::clamp(threads, 1, std::max(1, plan.height / kBandRows))) {
  level_ = planes(plan.width, plan.height, 1);
  for (const auto& level : plan.levels) {
    for (auto& frame : frames_) {
      frame.levels.push_back(planes(level.width, level.height, kExpansionPlanes));
    }
    for (auto& flow : flows_) flow.push_back(planes(level.width, level.height, kFlowPlanes));
  }
  for (int i = 0; i < threads_; ++i) {
    // One row of so many floats, without its pads.
    scratch_.push_back(planes(scratch_floats(plan), 1, 1).data - kLeftPad);
  }
}

Planes FarnebackWorker::planes(int64_t width, int64_t height, int64_t count) {
  const int64_t stride = row_floats(width);
  const size_t bytes = static_cast<size_t>(stride * height * count + 64) * sizeof(float);
  auto* data = static_cast<float*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
  if (!data) throw std::bad_alloc();
  memory_.emplace_back(data);
  std::memset(data, 0, bytes);
  return {data + kLeftPad, stride, count};
}

template <typename Body>
void FarnebackWorker::bands(int rows, int align, const Body& body) {
  const int wanted = std::clamp(rows / std::max(kBandRows, align), 1, threads_);
  if (wanted == 1) return body(scratch_[0], 0, rows);
  const int units = (rows + align - 1) / align;
  for_each_item(wanted, wanted, [&](int64_t i) {
    const int y0 = static_cast<int>(units * i / wanted) * align;
    const int y1 = std::min(static_cast<int>(units * (i + 1) / wanted) * align, rows);
    if (y0 < y1) body(scratch_[static_cast<size_t>(i)], y0, y1);
  });
}

const FarnebackWorker::Frame& FarnebackWorker::expanded(int64_t number, const uint8_t* picture,
                                                        const Frame* keep) {
  for (const auto& frame : frames_) {
    if (frame.number == number) return frame;
  }
  Frame& frame = keep == &frames_[0] ? frames_[1] : frames_[0];
  for (size_t i = 0; i < plan_.levels.size(); ++i) {
    const auto& level = plan_.levels[i];
    const Planes shrunk{level_.data, row_floats(level.width), 1};
    bands(level.height, 1, [&](float* scratch, int y0, int y1) {
      kernels_.shrink(picture, view(level.across), view(level.down), shrunk, scratch, y0, y1);
    });
    bands(level.height, 1, [&](float* scratch, int y0, int y1) {
      kernels_.expand(expansion_view(plan_), {level.width, level.height}, shrunk, frame.levels[i],
                      scratch, y0, y1);
    });
  }
  frame.number = number;
  return frame;
}

Planes FarnebackWorker::flow(int64_t from_number, const uint8_t* from, int64_t to_number,
                             const uint8_t* to, const float* first_guess) {
  const Frame* known = nullptr;
  for (const auto& frame : frames_) {
    if (frame.number == from_number || frame.number == to_number) known = &frame;
  }
  const Frame& first = expanded(from_number, from, known);
  const Frame& second = expanded(to_number, to, &first);
  Planes flow;
  for (int i = static_cast<int>(plan_.levels.size()) - 1; i >= 0; --i) {
    const auto& level = plan_.levels[i];
    const Size size{level.width, level.height};
    Planes current = flows_[0][i], next = flows_[1][i];
    if (flow.data) {
      bands(level.height, 1, [&](float* scratch, int y0, int y1) {
        kernels_.enlarge(flow, view(level.coarse_across), view(level.coarse_down), plan_.enlarge,
                         current, scratch, y0, y1);
      });
    } else if (first_guess) {
      if (!guess_.data) guess_ = planes(plan_.width, plan_.height, kFlowPlanes);
      for (int y = 0; y < plan_.height; ++y) {
        for (int p = 0; p < kFlowPlanes; ++p) {
          std::copy_n(first_guess + (int64_t(p) * plan_.height + y) * plan_.width, plan_.width,
                      guess_.row(y, p));
        }
      }
      kernels_.enlarge(guess_, view(plan_.first_across), view(plan_.first_down), plan_.first_factor,
                       current, scratch_[0], 0, level.height);
    } else {
      for (int y = 0; y < level.height; ++y) {
        for (int p = 0; p < kFlowPlanes; ++p) std::fill_n(current.row(y, p), level.width, 0.0f);
      }
    }
    for (int k = 0; k < plan_.iterations; ++k) {
      bands(level.height, window_rows(plan_.radius), [&](float* scratch, int y0, int y1) {
        kernels_.iterate(window_view(plan_), size, first.levels[i], second.levels[i], current, next,
                         scratch, y0, y1);
      });
      std::swap(current, next);
    }
    flow = current;
  }
  return flow;
}

double FarnebackWorker::lengths(Planes flow) const {
  return kernels_.lengths({plan_.width, plan_.height}, flow);
}

}  // namespace vmr::video::detail
