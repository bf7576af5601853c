#include "vmr/nn/dropout.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "nn/dropout_kernel.h"
#include "vmr/core/error.h"

namespace vmr::nn {
namespace {

constexpr int64_t kBlocksAThread = 1024;

void check_probability(double probability) {
  VMR_CHECK(probability >= 0 && probability < 1, "dropout: expected a probability in [0, 1), got ",
            probability);
}

uint64_t drawn_seed() {
  auto* generator = at::check_generator<at::CPUGeneratorImpl>(at::detail::getDefaultCPUGenerator());
  const std::lock_guard<std::mutex> lock(generator->mutex_);
  return generator->random64();
}

at::Tensor dropped(const at::Tensor& x, double probability, uint64_t seed) {
  const auto in = x.contiguous();
  auto out = at::empty_like(in);
  const auto kept = static_cast<uint32_t>(std::min(std::ldexp(1 - probability, 32), 4294967295.0));
  const auto count = in.numel(), blocks = (count + kDropoutBlock - 1) / kDropoutBlock;
  const auto* from = in.const_data_ptr<float>();
  auto* to = out.mutable_data_ptr<float>();
  at::parallel_for(0, blocks, kBlocksAThread, [&](int64_t begin, int64_t end) {
    drop_blocks(from, to, count, begin, end, seed, kept, static_cast<float>(1 / (1 - probability)));
  });
  return out;
}

struct SeededDropout : torch::autograd::Function<SeededDropout> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            double probability) {
    const auto seed = drawn_seed();
    context->saved_data["seed"] = static_cast<int64_t>(seed);
    context->saved_data["probability"] = probability;
    return dropped(x, probability, seed);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    return {dropped(gradients[0], context->saved_data["probability"].toDouble(),
                    static_cast<uint64_t>(context->saved_data["seed"].toInt())),
            at::Tensor()};
  }
};

}  // namespace

at::Tensor apply_dropout(const at::Tensor& x, double probability, bool training) {
  check_probability(probability);
  if (!training || probability == 0) return x;
  if (!x.device().is_cpu() || x.scalar_type() != at::kFloat) {
    return at::dropout(x, probability, /*train=*/true);
  }
  return SeededDropout::apply(x, probability);
}

DropoutImpl::DropoutImpl(const torch::nn::DropoutOptions& options_) : options(options_) {
  check_probability(options.p());
}

}  // namespace vmr::nn
