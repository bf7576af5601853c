#include "model/copy_weights.h"

#include "vmr/core/error.h"

namespace vmr::model {

void copy_weights(const torch::nn::Module& from, torch::nn::Module& to,
                  const std::optional<at::Device>& device) {
  const at::NoGradGuard no_grad;
  const auto copy = [&](const auto& sources, const auto& targets) {
    VMR_ASSERT(sources.size() == targets.size(), "copy_weights: modules of different make");
    for (const auto& source : sources) {
      auto target = targets[source.key()];
      target.set_data(device ? source.value().to(*device, source.value().scalar_type(), false, true)
                             : source.value().clone());
    }
  };
  copy(from.named_parameters(), to.named_parameters());
  copy(from.named_buffers(), to.named_buffers());
  to.train(from.is_training());
}

}  // namespace vmr::model
