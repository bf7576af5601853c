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
  return std::max(3 * row_floats(plan.width + 2 * plan.poly_n),
                  window_scratch(plan.width, plan.radius));
}

// Bands smaller than this do not pay for a thread.
constexpr int kBandRows = 64;
// Rows of an iteration before the next iteration follows.
constexpr int kStepRows = 4;
// More would not stay in the cache.
constexpr int kIterationsInFlight = 4;

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
    const int64_t stride = (level.width + 15) / 16 * 16 * kPixelFloats;
    for (auto& frame : frames_) {
      frame.levels.push_back({floats(stride * level.height), stride});
    }
    flows_[0].push_back(planes(level.width, level.height, kFlowPlanes));
    if (threads_ > 1) flows_[1].push_back(planes(level.width, level.height, kFlowPlanes));
  }
  for (int i = 0; i < threads_; ++i) scratch_.push_back(floats(scratch_floats(plan)));
  const int rings = std::max(threads_, std::min(plan.iterations, kIterationsInFlight));
  for (int i = 0; i < rings; ++i) {
    rings_.push_back(floats(window_ring(plan.width, plan.radius)));
  }
}

float* FarnebackWorker::floats(int64_t count) {
  // A vector may be read whole at the end of the last row.
  const size_t bytes = static_cast<size_t>((count + 64 + 15) / 16 * 16) * sizeof(float);
  auto* data = static_cast<float*>(std::aligned_alloc(64, bytes));
  if (!data) throw std::bad_alloc();
  memory_.emplace_back(data);
  std::memset(data, 0, bytes);
  return data;
}

Planes FarnebackWorker::planes(int64_t width, int64_t height, int64_t count) {
  const int64_t stride = row_floats(width);
  return {floats(stride * height * count) + kLeftPad, stride, count};
}

int FarnebackWorker::band_count(int rows, int align) const {
  return std::clamp(rows / std::max(kBandRows, align), 1, threads_);
}

template <typename Body>
void FarnebackWorker::bands(int rows, int align, const Body& body) {
  const int wanted = band_count(rows, align);
  if (wanted == 1) return body(0, 0, rows);
  const int units = (rows + align - 1) / align;
  for_each_item(wanted, wanted, [&](int64_t i) {
    const int y0 = static_cast<int>(units * i / wanted) * align;
    const int y1 = std::min(static_cast<int>(units * (i + 1) / wanted) * align, rows);
    if (y0 < y1) body(static_cast<size_t>(i), y0, y1);
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
    bands(level.height, 1, [&](size_t band, int y0, int y1) {
      kernels_.shrink(picture, view(level.across), view(level.down), shrunk, scratch_[band], y0,
                      y1);
    });
    bands(level.height, 1, [&](size_t band, int y0, int y1) {
      kernels_.expand(expansion_view(plan_), {level.width, level.height}, shrunk, frame.levels[i],
                      scratch_[band], y0, y1);
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
  if (first_guess) take_guess(first_guess);
  Planes flow;
  for (size_t i = plan_.levels.size(); i-- > 0;) {
    const auto& level = plan_.levels[i];
    const Start start{i, flow, first_guess != nullptr};
    FlowStep step{
        {level.width, level.height}, first.levels[i], second.levels[i], flows_[0][i], flows_[0][i]};
    if (band_count(level.height, window_rows(plan_.radius)) > 1) {
      flow = refine_in_bands(start, step);
    } else {
      flow = refine_at_once(start, step);
    }
  }
  return flow;
}

void FarnebackWorker::take_guess(const float* guess) {
  if (!guess_.data) guess_ = planes(plan_.width, plan_.height, kFlowPlanes);
  for (int y = 0; y < plan_.height; ++y) {
    for (int p = 0; p < kFlowPlanes; ++p) {
      std::copy_n(guess + (int64_t(p) * plan_.height + y) * plan_.width, plan_.width,
                  guess_.row(y, p));
    }
  }
}

void FarnebackWorker::begin(const Start& start, const FlowStep& step, size_t band, int y0, int y1) {
  const auto& level = plan_.levels[start.level];
  if (start.coarse.data) {
    kernels_.enlarge(start.coarse, view(level.coarse_across), view(level.coarse_down),
                     plan_.enlarge, step.flow, scratch_[band], y0, y1);
  } else if (start.guessed) {
    kernels_.enlarge(guess_, view(plan_.first_across), view(plan_.first_down), plan_.first_factor,
                     step.flow, scratch_[band], y0, y1);
  } else {
    for (int y = y0; y < y1; ++y) {
      for (int p = 0; p < kFlowPlanes; ++p) std::fill_n(step.flow.row(y, p), step.size.width, 0.0f);
    }
  }
}

// Each iteration follows the one before as soon as the rows it needs are there, while they are in
// the cache.
Planes FarnebackWorker::refine_at_once(const Start& start, const FlowStep& step) {
  const int rows = step.size.height, lag = plan_.radius;
  const auto window = window_view(plan_);
  int begun = 0;
  for (int done = 0; done < plan_.iterations; done += static_cast<int>(rings_.size())) {
    const int together = std::min(plan_.iterations - done, static_cast<int>(rings_.size()));
    for (int y = 0; y < rows + (together - 1) * lag; y += kStepRows) {
      const int needed = std::min(rows, y + kStepRows + lag);
      if (begun < needed) begin(start, step, 0, begun, needed);
      begun = std::max(begun, needed);
      for (int k = 0; k < together; ++k) {
        const int y0 = std::max(0, y - k * lag), y1 = std::min(rows, y + kStepRows - k * lag);
        if (y0 < y1) kernels_.iterate(window, step, rings_[k], scratch_[0], y0, y1, y0 == 0);
      }
    }
  }
  return step.flow;
}

Planes FarnebackWorker::refine_in_bands(const Start& start, FlowStep step) {
  step.next = flows_[1][start.level];
  bands(step.size.height, 1,
        [&](size_t band, int y0, int y1) { begin(start, step, band, y0, y1); });
  for (int k = 0; k < plan_.iterations; ++k) {
    bands(step.size.height, window_rows(plan_.radius), [&](size_t band, int y0, int y1) {
      kernels_.iterate(window_view(plan_), step, rings_[band], scratch_[band], y0, y1, true);
    });
    std::swap(step.flow, step.next);
  }
  return step.flow;
}

double FarnebackWorker::lengths(Planes flow) const {
  return kernels_.lengths({plan_.width, plan_.height}, flow);
}

}  // namespace vmr::video::detail
