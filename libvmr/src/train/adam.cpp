#include "train/adam.h"

#include <ATen/ATen.h>

#include <map>
#include <set>

#include "vmr/core/error.h"

namespace vmr::train {

Adam::Adam(const torch::nn::Module& module, const TrainerOptions& options)
    : beta1_(options.beta1),
      beta2_(options.beta2),
      epsilon_(options.epsilon),
      weight_decay_(options.weight_decay),
      clip_norm_(options.clip_norm) {
  std::set<const void*> seen;  // a parameter used in two places has one step
  for (const auto& item : module.named_parameters()) {
    if (item.value().requires_grad() && seen.insert(item.value().unsafeGetTensorImpl()).second) {
      parameters_.push_back({item.key(), item.value(), {}, {}, {}});
    }
  }
  VMR_CHECK(!parameters_.empty(), "train: the module has no parameters to optimise");
}

void Adam::clear_gradients() {
  for (auto& parameter : parameters_) parameter.value.mutable_grad().reset();
}

double Adam::clip_gradients() {
  std::vector<at::Tensor> gradients;
  for (const auto& parameter : parameters_) {
    if (parameter.value.grad().defined()) gradients.push_back(parameter.value.grad());
  }
  if (gradients.empty()) return 0;
  const at::NoGradGuard no_grad;
  const double norm = at::stack(at::_foreach_norm(gradients)).norm().item<double>();
  if (clip_norm_ > 0 && norm > clip_norm_) at::_foreach_mul_(gradients, clip_norm_ / norm);
  return norm;
}

void Adam::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> values, gradients, averages, squares, steps;
  for (auto& parameter : parameters_) {
    if (!parameter.value.grad().defined()) continue;
    if (!parameter.step.defined()) {
      parameter.exp_avg = at::zeros_like(parameter.value, at::MemoryFormat::Preserve);
      parameter.exp_avg_sq = at::zeros_like(parameter.value, at::MemoryFormat::Preserve);
      parameter.step = at::zeros({}, parameter.value.options().dtype(at::kFloat));
    }
    parameter.step.add_(1);
    values.push_back(parameter.value);
    gradients.push_back(parameter.value.grad());
    averages.push_back(parameter.exp_avg);
    squares.push_back(parameter.exp_avg_sq);
    steps.push_back(parameter.step);
  }
  if (values.empty()) return;
  at::_fused_adam_(values, gradients, averages, squares, {}, steps, learning_rate, beta1_, beta2_,
                   weight_decay_, epsilon_, /*amsgrad=*/false, /*maximize=*/false);
}

void Adam::save(TrainerState& state) const {
  for (const auto& parameter : parameters_) {
    if (!parameter.step.defined()) continue;
    state.tensors.emplace_back("exp_avg." + parameter.name, parameter.exp_avg);
    state.tensors.emplace_back("exp_avg_sq." + parameter.name, parameter.exp_avg_sq);
    state.tensors.emplace_back("step." + parameter.name, parameter.step);
  }
}

void Adam::load(const TrainerState& state) {
  const std::map<std::string, at::Tensor> tensors(state.tensors.begin(), state.tensors.end());
  const auto find = [&](const std::string& name, at::IntArrayRef shape,
                        const at::TensorOptions& options) {
    const auto found = tensors.find(name);
    if (found == tensors.end() || found->second.sizes() != shape) {
      throw StoreError(detail::concat("trainer.safetensors: ", name, " is missing or not ", shape));
    }
    return found->second.to(options, /*non_blocking=*/false, /*copy=*/true);
  };
  auto loaded = parameters_;
  size_t used = 0;
  for (auto& parameter : loaded) {
    parameter.exp_avg = parameter.exp_avg_sq = parameter.step = at::Tensor();
    if (tensors.count("step." + parameter.name) == 0) continue;
    const auto shape = parameter.value.sizes();
    parameter.exp_avg = find("exp_avg." + parameter.name, shape, parameter.value.options());
    parameter.exp_avg_sq = find("exp_avg_sq." + parameter.name, shape, parameter.value.options());
    parameter.step =
        find("step." + parameter.name, {}, parameter.value.options().dtype(at::kFloat));
    used += 3;
  }
  if (used != tensors.size()) {
    throw StoreError(detail::concat("trainer.safetensors: holds ", tensors.size(),
                                    " tensors, the module's parameters account for ", used));
  }
  parameters_ = std::move(loaded);
}

}  // namespace vmr::train
