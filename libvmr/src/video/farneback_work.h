// One chunk of pairs for the CUDA version of Farneback's flow: what it works on, in the memory of
// the device, and the order of its steps. Nothing here allocates, waits or copies to the host.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "video/farneback_expand_steps.h"
#include "video/farneback_result_steps.h"
#include "video/farneback_solve_steps.h"
#include "video/farneback_window_steps.h"

namespace vmr::video::detail {

enum class FlowResult { fields, lengths, mean_length, directions };

// A FarnebackPlan whose tables are on the device.
struct DevicePlan {
  struct Level {
    LevelSize size;
    FilterTable across, down, coarse_across, coarse_down;
  };
  std::vector<Level> levels;  // finest first
  FilterTable first_across, first_down;
  float first_factor = 1, enlarge = 1;
  int iterations = 0, poly_n = 0, radius = 0;
  const float *g = nullptr, *xg = nullptr, *xxg = nullptr;  // on the host
  const float* window = nullptr;                            // on the host; null for a box
  float box_weight = 0;
  ExpansionScale scale{};
};

struct FarnebackWork {
  int slots = 0, pairs = 0;
  bool colour = false;
  const uint8_t* const* pictures = nullptr;  // by slot, [h, w] or RGB [h, w, 3]
  const SlotPair* pair_slots = nullptr;      // by pair
  const float* first_guess = nullptr;        // [pairs, 2, h, w] or null

  // Room for the full size of a picture in each slot,
  uint8_t* grey = nullptr;     // null unless colour
  float* level = nullptr;      // the picture of one level
  FourFloats* four = nullptr;  // and its expansion
  float* mixed = nullptr;
  // and of each pair: estimates that follow each other, the last in flow[0];
  float* flow[2] = {};
  float* equations = nullptr;  // 5 planes, null unless the window is wider than kFusedRadius
  float* sums = nullptr;       // as equations

  FlowResult result = FlowResult::fields;  // fields are in flow[0]
  int bins = 1;
  double* bin_sums = nullptr;  // [pairs, parts, bins] of the last two results
  float* values = nullptr;     // of the pairs, of all results but fields
};

template <int kN, class Run>
void expand_level(const DevicePlan& plan, const DevicePlan::Level& level, const FarnebackWork& work,
                  const Run& run) {
  ExpandStep<kN> step{};
  std::copy_n(plan.g, plan.poly_n + 1, step.g);
  std::copy_n(plan.xg, plan.poly_n + 1, step.xg);
  std::copy_n(plan.xxg, plan.poly_n + 1, step.xxg);
  step.any_n = plan.poly_n;
  step.scale = plan.scale;
  step.size = level.size;
  step.level = work.level;
  step.four = work.four;
  step.mixed = work.mixed;
  step.slots = work.slots;
  run(step);
}

template <class Run>
void prepare_level(const DevicePlan& plan, const DevicePlan::Level& level,
                   const FarnebackWork& work, const Run& run) {
  run(ShrinkStep{work.colour ? nullptr : work.pictures, work.grey, plan.levels[0].size.pixels(),
                 level.across, level.down, work.level, work.slots});
  if (plan.poly_n == 5) return expand_level<5>(plan, level, work, run);
  if (plan.poly_n == 7) return expand_level<7>(plan, level, work, run);
  expand_level<0>(plan, level, work, run);
}

template <class Window>
Window window_of(const DevicePlan& plan) {
  Window window{};
  window.radius = plan.radius;
  window.box_weight = plan.box_weight;
  if (plan.window) std::copy_n(plan.window, plan.radius + 1, window.weights);
  return window;
}

template <int kRadius, bool kGaussian, class Run>
void iterate_fused(const DevicePlan& plan, const PairView& from, float* next, int pairs,
                   const Run& run) {
  using Step = IterateStep<kRadius, kGaussian>;
  run(Step{from, window_of<decltype(Step::window)>(plan), next, pairs});
}

template <bool kGaussian, class Run>
void iterate(const DevicePlan& plan, const PairView& from, float* next, const FarnebackWork& work,
             const Run& run) {
  if (plan.radius == 7) return iterate_fused<7, kGaussian>(plan, from, next, work.pairs, run);
  if (plan.radius <= kFusedRadius) {
    return iterate_fused<0, kGaussian>(plan, from, next, work.pairs, run);
  }
  const auto window = window_of<Window<kGaussian, kMaxRadius + 1>>(plan);
  run(EquationsStep{from, work.equations, work.pairs});
  run(SumDownStep<kGaussian>{work.equations, window, from.size, work.sums,
                             kEquations * work.pairs});
  run(SumAcrossStep<kGaussian>{work.sums, window, from.size, next, work.pairs});
}

// `run` is called with one step after the other.
template <class Run>
void run_flow(const DevicePlan& plan, const FarnebackWork& work, const Run& run) {
  const auto levels = static_cast<int>(plan.levels.size());
  if (work.colour) {
    run(GreyStep{work.pictures, work.grey, plan.levels[0].size.pixels(), work.slots});
  }
  // Every estimate goes to the room that the one before is not in; the last to flow[0].
  int left = levels * plan.iterations + levels - 1 + (work.first_guess ? 1 : 0);
  const auto room = [&] { return work.flow[--left % 2]; };
  const float* flow = nullptr;
  for (int i = levels - 1; i >= 0; --i) {
    const auto& level = plan.levels[static_cast<size_t>(i)];
    prepare_level(plan, level, work, run);
    float* next = nullptr;
    if (flow) {
      next = room();
      run(EnlargeStep{flow, level.coarse_across, level.coarse_down, plan.enlarge, next,
                      work.pairs});
    } else if (work.first_guess) {
      next = room();
      run(EnlargeStep{work.first_guess, plan.first_across, plan.first_down, plan.first_factor, next,
                      work.pairs});
    }
    flow = next;
    for (int k = 0; k < plan.iterations; ++k) {
      const PairView from{work.four, work.mixed, work.pair_slots, flow, level.size};
      next = room();
      if (plan.window) {
        iterate<true>(plan, from, next, work, run);
      } else {
        iterate<false>(plan, from, next, work, run);
      }
      flow = next;
    }
  }
}

template <class Run>
void run_farneback(const DevicePlan& plan, const FarnebackWork& work, const Run& run) {
  run_flow(plan, work, run);
  const int64_t pixels = plan.levels[0].size.pixels();
  if (work.result == FlowResult::fields) return;
  if (work.result == FlowResult::lengths) {
    return run(LengthsStep{work.flow[0], pixels, work.values, work.pairs});
  }
  run(BinStep{work.flow[0], pixels, work.result == FlowResult::directions, work.bins, work.bin_sums,
              work.pairs});
  run(CollectStep{work.bin_sums, pixels, BinStep::parts(pixels), work.bins, work.values,
                  work.pairs});
}

// All of a chunk on `stream` (a cudaStream_t) of the current device: returns before the work is
// done; the stream orders it before whatever the caller puts there next. Throws: CudaError when a
// launch fails.
void launch_farneback(const DevicePlan& plan, const FarnebackWork& work, void* stream);

}  // namespace vmr::video::detail
