// What clone() of a model needs beyond building it again from its options.
#pragma once

#include <torch/nn/module.h>

#include <optional>

namespace vmr::model {

// Gives `to` copies of all parameters and buffers of `from`, on `device` where given, and its
// training flag. Requires: both built from the same options.
void copy_weights(const torch::nn::Module& from, torch::nn::Module& to,
                  const std::optional<at::Device>& device);

}  // namespace vmr::model
