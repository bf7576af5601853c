#include "vmr/nn/initialise.h"

#include <cmath>

#include "vmr/core/error.h"
#include "vmr/nn/dropout.h"

namespace vmr::nn {

void initialise_linear(Linear& layer, Initialisation rule) {
  if (rule == Initialisation::he_normal) {
    // gain sqrt(2): the reference draws every layer as if a ReLU followed
    torch::nn::init::kaiming_normal_(layer->weight, 0.0, torch::kFanIn, torch::kReLU);
  } else {
    torch::nn::init::xavier_normal_(layer->weight);
  }
  if (layer->bias.defined()) torch::nn::init::constant_(layer->bias, 0.01);
}

void draw_truncated_normal(at::Tensor& values, double deviation) {
  const at::NoGradGuard no_grad;
  // Two deviations hold erf(sqrt 2) of the distribution: the inverse of its middle part.
  const double share = std::erf(std::sqrt(2.0));
  values.uniform_(-share, share).erfinv_().mul_(deviation * std::sqrt(2.0));
}

int64_t count_parameters(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const auto& parameter : module.parameters()) count += parameter.numel();
  return count;
}

void set_dropout(torch::nn::Module& module, double probability) {
  VMR_CHECK(probability >= 0 && probability < 1,
            "set_dropout: expected a probability in [0, 1), got ", probability);
  for (const auto& child : module.modules()) {
    if (auto* dropout = child->as<DropoutImpl>()) dropout->options.p(probability);
  }
}

}  // namespace vmr::nn
