#include "nn/onednn_linear.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>

namespace vmr::nn {
namespace {

using Operator = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            std::string_view, c10::List<std::optional<at::Scalar>>,
                            std::optional<std::string_view>);

// Nothing where this LibTorch has no such operator, or one of other arguments.
const std::optional<c10::TypedOperatorHandle<Operator>>& found_operator() {
  static const auto found = []() -> std::optional<c10::TypedOperatorHandle<Operator>> {
    const auto handle = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
    if (!handle) return std::nullopt;
    try {
      return handle->typed<Operator>();
    } catch (const c10::Error&) {
      return std::nullopt;
    }
  }();
  return found;
}

// a [rows, shared] contiguous, b [columns, shared] of any strides -> a b^T + bias.
at::Tensor product(const at::Tensor& a, const at::Tensor& b,
                   const std::optional<at::Tensor>& bias = std::nullopt) {
  return found_operator()->call(a, b, bias, "none", c10::List<std::optional<at::Scalar>>(), "");
}

// g [rows, outputs], x [rows, inputs] -> g^T x. oneDNN wants one of them turned in memory; that
// pays where it is the narrower, and where it is x, whose product must be turned back, for many
// rows.
at::Tensor weight_gradient(const at::Tensor& g, const at::Tensor& x) {
  if (g.size(1) <= x.size(1)) return product(g.t().contiguous(), x.t());
  if (g.size(0) >= 4 * g.size(1)) return product(x.t().contiguous(), g.t()).t();
  return g.t().mm(x);
}

struct OneDnnLinear : torch::autograd::Function<OneDnnLinear> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias) {
    context->save_for_backward({x, weight});
    context->saved_data["biased"] = bias.has_value();
    return product(x, weight, bias);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1];
    const auto g = gradients[0].contiguous();
    torch::autograd::variable_list result(3);
    if (context->needs_input_grad(0)) result[0] = product(g, weight.t());
    if (context->needs_input_grad(1)) result[1] = weight_gradient(g, x);
    const bool biased = context->saved_data["biased"].toBool();
    if (biased && context->needs_input_grad(2)) result[2] = g.sum(0);
    return result;
  }
};

}  // namespace

bool has_onednn_linear() { return found_operator().has_value(); }

at::Tensor onednn_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const auto rows = x.reshape({-1, x.size(-1)}).contiguous();
  auto shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return OneDnnLinear::apply(rows, weight, bias.defined() ? std::optional(bias) : std::nullopt)
      .view(shape);
}

}  // namespace vmr::nn
