// Pins apply_linear(): both kernels against at::linear, forward and backward, which products fall
// through, how the kernel is chosen; and Linear against torch's: keys, draws, clones.
#include "vmr/nn/linear.h"

#include <cstdlib>

#include "nn/formula_weights.h"
#include "nn/onednn_linear.h"
#include "vmr/core/error.h"

namespace vmr::nn {
namespace {

using namespace vmr::test;

// Values and gradients of a product weighted by fixed numbers.
struct Results {
  at::Tensor value, x_gradient, weight_gradient, bias_gradient;
};

template <typename Product>
Results results_of(at::IntArrayRef shape, int64_t outputs, bool biased, Product&& product) {
  const auto x = formula_values("x", shape).requires_grad_();
  const auto weight = formula_values("weight", {outputs, shape.back()}).requires_grad_();
  const auto bias = biased ? formula_values("bias", {outputs}).requires_grad_() : at::Tensor();
  const auto value = product(x, weight, bias);
  (value * formula_values("gradient", value.sizes())).sum().backward();
  return {value.detach(), x.grad(), weight.grad(), biased ? bias.grad() : at::zeros({1})};
}

at::Tensor torch_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::linear(x, weight, bias);
}

// Largest difference as a share of the largest value: sums of hundreds of products round to 1e-6.
void expect_alike(const at::Tensor& value, const at::Tensor& expected) {
  ASSERT_EQ(value.sizes(), expected.sizes());
  const auto largest = expected.abs().max().item<float>();
  EXPECT_LE((value - expected).abs().max().item<float>(), 5e-6f * largest);
}

class LinearTest : public testing::Test {
 protected:
  void TearDown() override { set_linear_backend(LinearBackend::automatic); }
};

TEST_F(LinearTest, BothKernelsGiveTorchsValuesAndGradients) {
  struct Case {
    std::vector<int64_t> shape;
    int64_t outputs;
    bool biased;
  };
  // Wide to narrow, narrow to wide with many and few rows (the weight's gradient takes another way
  // in each), odd sizes, a sequence.
  for (const auto& c :
       {Case{{640, 300}, 96, true}, Case{{1300, 96}, 300, true}, Case{{640, 96}, 300, true},
        Case{{901, 131}, 157, false}, Case{{6, 200, 128}, 128, true}}) {
    const auto expected = results_of(c.shape, c.outputs, c.biased, torch_linear);
    const auto expect_same_results = [&](const Results& own) {
      expect_alike(own.value, expected.value);
      expect_alike(own.x_gradient, expected.x_gradient);
      expect_alike(own.weight_gradient, expected.weight_gradient);
      expect_alike(own.bias_gradient, expected.bias_gradient);
    };
    set_linear_backend(LinearBackend::mkl);
    expect_same_results(results_of(c.shape, c.outputs, c.biased, apply_linear));
    if (!has_onednn_linear()) continue;
    set_linear_backend(LinearBackend::onednn);
    expect_same_results(results_of(c.shape, c.outputs, c.biased, apply_linear));
    expect_same_results(results_of(c.shape, c.outputs, c.biased, onednn_linear));
  }
}

TEST_F(LinearTest, OneDnnsGradientsAreSlopes) {
  if (!has_onednn_linear()) GTEST_SKIP() << "this LibTorch has no oneDNN";
  // The product is linear in each argument, so a difference over a whole unit is the slope.
  const auto x = formula_values("x", {40, 12}), weight = formula_values("weight", {9, 12});
  const auto factor = formula_values("factor", {40, 9});
  const auto value = [&](const at::Tensor& a, const at::Tensor& w) {
    return (onednn_linear(a, w, {}) * factor).to(at::kDouble).sum().item<double>();
  };
  auto learned_x = x.clone().requires_grad_(), learned_w = weight.clone().requires_grad_();
  (onednn_linear(learned_x, learned_w, {}) * factor).sum().backward();
  for (const int64_t row : {0, 7}) {
    auto moved_x = x.clone(), moved_w = weight.clone();
    moved_x[row][3] += 1;
    moved_w[row][5] += 1;
    EXPECT_NEAR(value(moved_x, weight) - value(x, weight), learned_x.grad()[row][3].item<double>(),
                1e-3);
    EXPECT_NEAR(value(x, moved_w) - value(x, weight), learned_w.grad()[row][5].item<double>(),
                1e-3);
  }
}

TEST_F(LinearTest, GivesGradientsOnlyWhereWanted) {
  if (!has_onednn_linear()) GTEST_SKIP() << "this LibTorch has no oneDNN";
  const auto x = formula_values("x", {64, 32});
  auto weight = formula_values("weight", {32, 32}).requires_grad_();
  onednn_linear(x, weight, formula_values("bias", {32})).sum().backward();
  expect_near(weight.grad(), x.sum(0).expand({32, 32}), 1e-4);
  EXPECT_FALSE(x.grad().defined());
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(onednn_linear(x, weight, {}).requires_grad());
}

TEST_F(LinearTest, OtherDtypesAndSmallProductsAreTorchsToTheBit) {
  if (has_onednn_linear()) set_linear_backend(LinearBackend::onednn);
  const auto weight = formula_values("weight", {256, 256});
  const auto expect_same = [](const at::Tensor& x, const at::Tensor& w) {
    EXPECT_TRUE(at::equal(apply_linear(x, w), at::linear(x, w)));
  };
  const auto x = formula_values("x", {256, 256});
  expect_same(x.to(at::kDouble), weight.to(at::kDouble));
  expect_same(x.to(at::kBFloat16), weight.to(at::kBFloat16));
  expect_same(x.narrow(0, 0, 2), weight);
  expect_same(x[0], weight);
  EXPECT_EQ(apply_linear(x.narrow(0, 0, 0), weight).sizes(), (std::vector<int64_t>{0, 256}));
  EXPECT_THROW(apply_linear(x.narrow(1, 0, 100), weight), c10::Error);
}

TEST_F(LinearTest, RepeatsItselfToTheBit) {
  for (const auto backend : {LinearBackend::mkl, LinearBackend::onednn}) {
    if (backend == LinearBackend::onednn && !has_onednn_linear()) continue;
    set_linear_backend(backend);
    const auto first = results_of({600, 200}, 160, true, apply_linear);
    const auto again = results_of({600, 200}, 160, true, apply_linear);
    EXPECT_TRUE(at::equal(first.value, again.value));
    EXPECT_TRUE(at::equal(first.weight_gradient, again.weight_gradient));
  }
}

TEST_F(LinearTest, ChoosesByMeasuringOrAsTold) {
  set_linear_backend(LinearBackend::automatic);
  const auto chosen = linear_backend();
  EXPECT_NE(chosen, LinearBackend::automatic);
  EXPECT_EQ(linear_backend(), chosen);
  set_linear_backend(LinearBackend::mkl);
  EXPECT_EQ(name_of(linear_backend()), "mkl");
  if (!has_onednn_linear()) {
    EXPECT_THROW(set_linear_backend(LinearBackend::onednn), InvalidArgument);
    return;
  }
  set_linear_backend(LinearBackend::onednn);
  EXPECT_EQ(name_of(linear_backend()), "onednn");
}

TEST_F(LinearTest, MeasuringDrawsNoRandomNumbers) {
  torch::manual_seed(3);
  const auto expected = torch::rand({4});
  torch::manual_seed(3);
  set_linear_backend(LinearBackend::automatic);
  linear_backend();
  EXPECT_TRUE(at::equal(torch::rand({4}), expected));
}

TEST_F(LinearTest, AModuleDrawsAndNamesWhatTorchsDoes) {
  torch::manual_seed(7);
  const torch::nn::Linear expected(5, 3);
  torch::manual_seed(7);
  const Linear layer(5, 3);
  EXPECT_TRUE(at::equal(layer->weight, expected->weight));
  EXPECT_TRUE(at::equal(layer->bias, expected->bias));
  EXPECT_EQ(state_keys(*layer), (std::vector<std::string>{"bias", "weight"}));
  const Linear plain(torch::nn::LinearOptions(5, 3).bias(false));
  EXPECT_FALSE(plain->bias.defined());
  EXPECT_EQ(state_keys(*plain), (std::vector<std::string>{"weight"}));
  expect_clones_saves_and_learns(Linear(5, 3), Linear(5, 3), [](Linear net) {
    return net(formula_values("rows", {4, 5}));
  });
}

}  // namespace
}  // namespace vmr::nn
