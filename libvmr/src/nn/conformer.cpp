#include "vmr/nn/conformer.h"

#include "nn/conformer_block.h"
#include "vmr/core/error.h"
#include "vmr/nn/masked_mean.h"

namespace vmr::nn {
namespace {

constexpr int64_t kReach = 7;  // input steps and features one output of the two convolutions sees

void check_range(const char* field, double value, double low, double below) {
  VMR_CHECK(value >= low && value < below, "Conformer: ", field, " = ", value, ", expected in [",
            low, ", ", below, ")");
}

void validate(const ConformerOptions& o) {
  constexpr double kLarge = 1 << 24;
  check_range("input_dim", o.input_dim(), kReach, kLarge);
  check_range("classes", o.classes(), 1, kLarge);
  check_range("dim", o.dim(), 2, kLarge);
  check_range("layers", o.layers(), 1, 1000);
  check_range("heads", o.heads(), 1, o.dim() + 1);
  check_range("feed_forward_expansion", o.feed_forward_expansion(), 1, 1000);
  check_range("conv_expansion", o.conv_expansion(), 2, 1000);
  check_range("kernel", o.kernel(), 1, kLarge);
  check_range("input_dropout", o.input_dropout(), 0, 1);
  check_range("feed_forward_dropout", o.feed_forward_dropout(), 0, 1);
  check_range("attention_dropout", o.attention_dropout(), 0, 1);
  check_range("conv_dropout", o.conv_dropout(), 0, 1);
  VMR_CHECK(o.kernel() % 2 == 1, "Conformer: kernel = ", o.kernel(), ", expected an odd number");
  VMR_CHECK(o.conv_expansion() % 2 == 0, "Conformer: conv_expansion = ", o.conv_expansion(),
            ", expected an even number: the gate halves it");
}

}  // namespace

int64_t conformer_steps(int64_t input_steps) {
  return input_steps < kReach ? 0 : (input_steps - kReach) / 4 + 1;
}

ConformerImpl::ConformerImpl(const ConformerOptions& options_) : options(options_) {
  validate(options);
  reset();
}

void ConformerImpl::reset() {
  const auto dim = options.dim();
  // In place: what the first convolution gives is the largest tensor of a pass (16 MB an item).
  const auto rectifier = [] { return torch::nn::ReLU(torch::nn::ReLUOptions(/*inplace=*/true)); };
  torch::nn::Sequential convolutions(
      torch::nn::Conv2d(torch::nn::Conv2dOptions(1, dim, 3).stride(2)), rectifier(),
      torch::nn::Conv2d(torch::nn::Conv2dOptions(dim, dim, 3).stride(2)), rectifier());
  torch::nn::ModuleDict subsample(
      std::vector<std::pair<std::string, std::shared_ptr<torch::nn::Module>>>{
          {"sequential", convolutions.ptr()}});
  torch::nn::Sequential projection(Linear(dim * conformer_steps(options.input_dim()), dim),
                                   Dropout(options.input_dropout()));
  torch::nn::ModuleList layers;
  for (int64_t i = 0; i < options.layers(); ++i) layers->push_back(ConformerBlock(options));
  encoder = register_module(
      "encoder",
      torch::nn::ModuleDict(std::vector<std::pair<std::string, std::shared_ptr<torch::nn::Module>>>{
          {"conv_subsample", subsample.ptr()},
          {"input_projection", projection.ptr()},
          {"layers", layers.ptr()}}));
  classification = register_module(
      "classification", Linear(torch::nn::LinearOptions(dim, options.classes()).bias(false)));
}

at::Tensor ConformerImpl::encode(const at::Tensor& x, const at::Tensor& mask,
                                 at::Tensor& encoded_mask) {
  VMR_CHECK(x.dim() == 3 && x.size(2) == options.input_dim() && x.size(1) >= kReach,
            "Conformer: expected [batch, steps >= ", kReach, ", ", options.input_dim(), "], got ",
            x.sizes());
  check_mask(mask, x.size(0), x.size(1), "Conformer");
  encoded_mask = at::Tensor();
  if (mask.defined()) {
    // A step is real where all inputs it sees are.
    encoded_mask = mask.slice(1, kReach - 1, c10::nullopt, 4);
    VMR_CHECK(encoded_mask.any(1).all().item<bool>(), "Conformer: an item has fewer than ", kReach,
              " real steps; leave such items out of the batch");
  }
  auto input = x.to(classification->weight.scalar_type());
  if (options.input_scale() != 1.0) input = input * options.input_scale();
  // Padding reaches only steps outside the mask, yet must not carry NaN there: 0 * NaN is NaN.
  if (mask.defined()) input = input.masked_fill(mask.logical_not().unsqueeze(2), 0);

  auto& subsample = encoder->at<torch::nn::ModuleDictImpl>("conv_subsample");
  auto y = subsample.at<torch::nn::SequentialImpl>("sequential").forward(input.unsqueeze(1));
  y = encoder->at<torch::nn::SequentialImpl>("input_projection")
          .forward(y.transpose(1, 2).flatten(2));

  auto& layers = encoder->at<torch::nn::ModuleListImpl>("layers");
  const auto table = layers.ptr<ConformerBlockImpl>(0)->attention().attention().table(y.size(1), y);
  for (size_t i = 0; i < layers.size(); ++i) {
    y = layers.ptr<ConformerBlockImpl>(i)->forward(y, table, encoded_mask);
  }
  return y;
}

at::Tensor ConformerImpl::embed(const at::Tensor& x, const at::Tensor& mask) {
  at::Tensor encoded_mask;
  const auto steps = encode(x, mask, encoded_mask);
  return masked_mean(steps, encoded_mask);
}

at::Tensor ConformerImpl::forward(const at::Tensor& x, const at::Tensor& mask) {
  return classification(embed(x, mask));
}

}  // namespace vmr::nn
