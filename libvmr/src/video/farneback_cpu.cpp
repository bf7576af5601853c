#include "video/farneback_cpu.h"

#include <algorithm>
#include <array>

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
// Iterations that follow each other, and what their rings may take: more would not stay in the
// cache.
constexpr int kIterationsInFlight = 4;
constexpr int64_t kRingFloats = 8 << 20;

}  // namespace

const FarnebackKernels& best_farneback_kernels() {
  if (const auto* kernels = farneback_avx512()) return *kernels;
  if (const auto* kernels = farneback_avx2()) return *kernels;
  return *farneback_portable();
}

FarnebackWorker::FarnebackWorker(const FarnebackPlan& plan, const FarnebackKernels& kernels,
                                 int threads)
    : plan_(plan), kernels_(kernels) {
  level_ = planes(plan.width, plan.height, 1);
  bands_.resize(static_cast<size_t>(std::clamp(threads, 1, std::max(1, plan.height / kBandRows))));
  for (const auto& level : plan.levels) {
    const int64_t stride = (level.width + 15) / 16 * 16 * kPixelFloats;
    for (auto& frame : frames_) {
      frame.levels.push_back({pool_.take(stride * level.height), stride});
    }
    for (auto& band : bands_) {
      band.flows.push_back(planes(level.width, level.height, kFlowPlanes));
    }
    for (auto& joined : joined_) {
      if (bands_.size() > 1) joined.push_back(planes(level.width, level.height, kFlowPlanes));
    }
  }
  const int64_t ring = window_ring(plan.width, plan.radius);
  in_flight_ = std::min(plan.iterations, kIterationsInFlight);
  if (in_flight_ * ring > kRingFloats) in_flight_ = 1;
  for (auto& band : bands_) {
    band.scratch = pool_.take(scratch_floats(plan));
    for (int i = 0; i < in_flight_; ++i) band.rings.push_back(pool_.take(ring));
  }
}

Planes FarnebackWorker::planes(int64_t width, int64_t height, int64_t count) {
  const int64_t stride = row_floats(width);
  return {pool_.take(stride * height * count) + kLeftPad, stride, count};
}

int FarnebackWorker::band_count(int rows, int align) const {
  return std::clamp(rows / std::max(kBandRows, align), 1, static_cast<int>(bands_.size()));
}

template <typename Body>
void FarnebackWorker::for_bands(int rows, int align, const Body& body) {
  const int wanted = band_count(rows, align);
  if (wanted == 1) return body(bands_[0], 0, rows);
  const int units = (rows + align - 1) / align;
  for_each_item(wanted, wanted, [&](int64_t i) {
    const int y0 = static_cast<int>(units * i / wanted) * align;
    const int y1 = std::min(static_cast<int>(units * (i + 1) / wanted) * align, rows);
    if (y0 < y1) body(bands_[static_cast<size_t>(i)], y0, y1);
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
    for_bands(level.height, 1, [&](const Band& band, int y0, int y1) {
      kernels_.shrink(picture, view(level.across), view(level.down), shrunk, band.scratch, y0, y1);
    });
    for_bands(level.height, 1, [&](const Band& band, int y0, int y1) {
      kernels_.expand(expansion_view(plan_), {level.width, level.height}, shrunk, frame.levels[i],
                      band.scratch, y0, y1);
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
    flow = refine({i, flow, first_guess != nullptr}, first, second);
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

// Rows y0..y1-1 of a level's flow before its first iteration.
void FarnebackWorker::begin(const Start& start, Planes flow, float* scratch, int y0, int y1) {
  const auto& level = plan_.levels[start.level];
  if (start.coarse.data) {
    kernels_.enlarge(start.coarse, view(level.coarse_across), view(level.coarse_down),
                     plan_.enlarge, flow, scratch, y0, y1);
  } else if (start.guessed) {
    kernels_.enlarge(guess_, view(plan_.first_across), view(plan_.first_down), plan_.first_factor,
                     flow, scratch, y0, y1);
  } else {
    for (int y = y0; y < y1; ++y) {
      for (int p = 0; p < kFlowPlanes; ++p) std::fill_n(flow.row(y, p), level.width, 0.0f);
    }
  }
}

// As many iterations at a time as stay in the cache together. A band alone works in place; several
// work on their own copies, and on what they found together in the next turn.
Planes FarnebackWorker::refine(const Start& start, const Frame& from, const Frame& to) {
  const auto& level = plan_.levels[start.level];
  const Size size{level.width, level.height};
  Planes flow;
  for (int done = 0, turn = 0; done < plan_.iterations; done += in_flight_, ++turn) {
    const int iterations = std::min(plan_.iterations - done, in_flight_);
    const Planes before = flow;
    const int align = window_rows(plan_.radius);
    const bool alone = band_count(level.height, align) == 1;
    flow = alone ? bands_[0].flows[start.level] : joined_[turn % 2][start.level];
    for_bands(level.height, align, [&](const Band& band, int y0, int y1) {
      const Planes own = band.flows[start.level];
      FlowStep step{size, from.levels[start.level], to.levels[start.level], own, own};
      refine_band(step, band, flow, iterations, y0, y1, [&](int begin0, int begin1) {
        if (done == 0) {
          begin(start, own, band.scratch, begin0, begin1);
        } else if (!alone) {
          std::copy(before.row(begin0), before.row(begin1), own.row(begin0));
        }
      });
    });
  }
  return flow;
}

// Each iteration follows the one before as soon as the rows it needs are there. Those that others
// need begin and end farther out, with a block of rows, so that sums are the same in any band.
template <typename Begin>
void FarnebackWorker::refine_band(FlowStep step, const Band& band, Planes result, int iterations,
                                  int y0, int y1, const Begin& begin) {
  const int rows = step.size.height, lag = plan_.radius, block = window_rows(lag);
  struct Range {
    int begin, end;
  };
  std::array<Range, kIterationsInFlight> ranges;
  for (int k = iterations - 1; k >= 0; --k) {
    ranges[k] = {y0, y1};
    y0 = std::max(0, y0 - lag) / block * block;
    y1 = std::min(rows, y1 + lag);
  }
  int begun = std::max(0, ranges[0].begin - lag);
  const int all = std::min(rows, ranges[0].end + lag), last = iterations - 1;
  for (int y = ranges[0].begin; y < ranges[last].end + last * lag; y += kStepRows) {
    const int needed = std::min(all, y + kStepRows + lag);
    if (begun < needed) begin(begun, needed);
    begun = std::max(begun, needed);
    for (int k = 0; k < iterations; ++k) {
      const int from = std::max(ranges[k].begin, y - k * lag);
      const int to = std::min(ranges[k].end, y + kStepRows - k * lag);
      if (from >= to) continue;
      step.next = k == last ? result : step.flow;
      kernels_.iterate(window_view(plan_), step, band.rings[k], band.scratch, from, to,
                       from == ranges[k].begin);
    }
  }
}

double FarnebackWorker::lengths(Planes flow) const {
  return kernels_.lengths({plan_.width, plan_.height}, flow);
}

}  // namespace vmr::video::detail
