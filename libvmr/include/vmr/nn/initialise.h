// Initial values the published networks draw for their linear layers, and two questions asked of
// any module. Draws come from torch's default generator. Not thread-safe on one module.
#pragma once

#include <torch/nn/module.h>

#include "vmr/nn/linear.h"

namespace vmr::nn {

// he_normal: N(0, 2 / fan_in); xavier_normal: N(0, 2 / (fan_in + fan_out)).
enum class Initialisation { he_normal, xavier_normal };

// Draws the weight anew; the bias, where there is one, becomes 0.01.
void initialise_linear(Linear& layer, Initialisation rule);

// Draws from N(0, deviation^2) cut at two deviations, as TensorFlow's truncated normal: what is
// left has a deviation of 0.880 times that.
void draw_truncated_normal(at::Tensor& values, double deviation);

// Numbers in all parameters of the module and its children, buffers excluded.
int64_t count_parameters(const torch::nn::Module& module);

// Sets the drop probability of every Dropout below the module. Requires: 0 <= probability < 1.
void set_dropout(torch::nn::Module& module, double probability);

}  // namespace vmr::nn
