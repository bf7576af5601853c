#include "video/flow_pairs.h"

#include <algorithm>

#include "video/farneback_cpu.h"
#include "video/opencv_cuda_flow.h"
#include "vmr/core/error.h"
#include "vmr/core/parallel.h"

namespace vmr::video::detail {
namespace {

// Each thread takes one run of neighbouring pairs, so that they share frames; fewer pairs than
// threads share the threads.
void farneback_of_pairs(const at::Tensor& grey, const std::vector<FramePair>& pairs,
                        const FlowOptions& options, const at::Tensor& first_guess,
                        const FlowSink& sink) {
  const auto count = static_cast<int64_t>(pairs.size());
  if (count == 0) return;
  const int64_t pixels = grey.size(1) * grey.size(2);
  const auto* frames = grey.const_data_ptr<uint8_t>();
  const float* guesses = first_guess.defined() ? first_guess.const_data_ptr<float>() : nullptr;
  const auto plan = plan_farneback(grey.size(1), grey.size(2), options.farneback);
  const int64_t threads = thread_count(options.threads), runs = std::min(threads, count);
  for_each_item(runs, static_cast<int>(runs), [&](int64_t run) {
    FarnebackWorker worker(plan, best_farneback_kernels(), static_cast<int>(threads / runs));
    for (int64_t i = count * run / runs; i < count * (run + 1) / runs; ++i) {
      const auto [from, to] = pairs[static_cast<size_t>(i)];
      sink(i, worker.flow(from, frames + from * pixels, to, frames + to * pixels,
                          guesses ? guesses + i * 2 * pixels : nullptr));
    }
  });
}

}  // namespace

at::Tensor require_first_guess(const at::Tensor& frames, int64_t pairs,
                               const FlowOptions& options) {
  const at::Tensor& guess = options.first_guess;
  if (!guess.defined()) return guess;
  VMR_CHECK(options.method == FlowMethod::farneback ||
                options.method == FlowMethod::farneback_opencv ||
                options.method == FlowMethod::farneback_cudaoptflow,
            "FlowOptions: first_guess is for Farneback's methods; leave it out");
  VMR_CHECK(guess.scalar_type() == at::kFloat && guess.device() == frames.device() &&
                guess.sizes() == at::IntArrayRef({pairs, 2, frames.size(1), frames.size(2)}),
            "FlowOptions: expected first_guess [", pairs, ", 2, ", frames.size(1), ", ",
            frames.size(2), "] float32 on ", frames.device().str(), " as the frames, got ",
            guess.sizes(), " ", guess.scalar_type(), " on ", guess.device().str());
  VMR_CHECK(!guess.is_cpu() || guess.isfinite().all().item<bool>(),
            "FlowOptions: first_guess holds NaN or infinity");
  return guess.contiguous();
}

void flow_of_pairs(const at::Tensor& grey, const std::vector<FramePair>& pairs,
                   const FlowOptions& options, const FlowSink& sink) {
  const auto guess = require_first_guess(grey, static_cast<int64_t>(pairs.size()), options);
  if (options.method == FlowMethod::farneback) {
    farneback_of_pairs(grey, pairs, options, guess, sink);
  } else if (options.method == FlowMethod::farneback_cudaoptflow) {
    cudaoptflow_of_pairs(grey, pairs, options, guess, sink);
  } else {
    opencv_flow_of_pairs(grey, pairs, options, guess, sink);
  }
}

}  // namespace vmr::video::detail
