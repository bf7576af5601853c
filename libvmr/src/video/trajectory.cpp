#include "vmr/video/trajectory.h"

#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <optional>

#include "video/farneback_cpu.h"
#include "video/flow_pairs.h"
#include "video/tensor_checks.h"
#include "vmr/core/parallel.h"

namespace vmr::video {

at::Tensor flow_trajectory(const at::Tensor& grey, const FlowOptions& options) {
  const at::Tensor magnitudes = mean_magnitude(grey, options);
  const int64_t frames = grey.size(0);
  at::Tensor values = at::zeros({frames}, magnitudes.options());
  if (frames < 2) return values;
  values.narrow(0, 0, 1).copy_(magnitudes.narrow(0, 0, 1));
  values.narrow(0, 1, frames - 1).copy_(magnitudes);
  return values;
}

struct MagnitudeStream::Impl {
  FlowOptions options;
  at::Tensor previous;
  int64_t frames = 0;
  detail::FarnebackPlan plan;
  std::optional<detail::FarnebackWorker> worker;  // of Farneback's method, from the second frame on

  float magnitude_to(const at::Tensor& frame) {
    if (options.method != FlowMethod::farneback) {
      return detail::mean_magnitudes(at::stack({previous, frame}), {{0, 1}}, options)[0];
    }
    if (!worker) {
      plan = detail::plan_farneback(frame.size(0), frame.size(1), options.farneback);
      worker.emplace(plan, detail::best_farneback_kernels(), thread_count(options.threads));
    }
    const auto flow = worker->flow(frames - 1, previous.const_data_ptr<uint8_t>(), frames,
                                   frame.const_data_ptr<uint8_t>());
    return static_cast<float>(worker->lengths(flow) / static_cast<double>(frame.numel()));
  }
};

MagnitudeStream::MagnitudeStream(const FlowOptions& options) : impl_(std::make_unique<Impl>()) {
  validate(options);
  VMR_CHECK(!options.first_guess.defined(),
            "MagnitudeStream: first_guess is for pairs that are known at once; leave it out");
  impl_->options = options;
}
MagnitudeStream::~MagnitudeStream() = default;
MagnitudeStream::MagnitudeStream(MagnitudeStream&&) noexcept = default;
MagnitudeStream& MagnitudeStream::operator=(MagnitudeStream&&) noexcept = default;

float MagnitudeStream::push(const at::Tensor& frame) {
  VMR_CHECK(frame.defined() && (frame.dim() == 2 || frame.dim() == 3),
            "MagnitudeStream: expected a frame [h, w] or [h, w, 3], got ", detail::describe(frame));
  const auto grey = detail::require_flow_input(frame.unsqueeze(0), "MagnitudeStream")[0];
  float magnitude = 0;
  if (impl_->frames > 0) {
    VMR_CHECK(grey.sizes() == impl_->previous.sizes(), "MagnitudeStream: expected frames ",
              impl_->previous.sizes(), " as before, got ", grey.sizes());
    magnitude = impl_->magnitude_to(grey);
  }
  impl_->previous = grey.clone();
  ++impl_->frames;
  return magnitude;
}

}  // namespace vmr::video
