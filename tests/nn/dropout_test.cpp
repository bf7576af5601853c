// Pins apply_dropout(): the generator's known answers, values, shares and gradients, seeds
// and threads, what falls through to torch.
#include "vmr/nn/dropout.h"

#include <ATen/Parallel.h>

#include <array>

#include "nn/dropout_kernel.h"
#include "nn/formula_weights.h"
#include "vmr/core/error.h"

namespace vmr::nn {
namespace {

using namespace vmr::test;

TEST(Dropout, ChoosesByThreefry) {
  // The first are the known answers of Random123; all are those of the Python package randomgen
  // 2.5.1: ThreeFry(key=seed, counter=counter - 1, number=4, width=32).random_raw(4).
  struct Known {
    uint64_t seed;
    int64_t counter;
    std::array<uint32_t, 4> words;
  };
  const Known known[] = {
      {0, 0, {0x9c6ca96a, 0xe17eae66, 0xfc10ecd4, 0x5256a7d8}},
      {0, 1, {0x606694a5, 0x55a9572a, 0x282e9454, 0x41bd81cc}},
      {0x123456789abcdef0, 1, {0xc1234433, 0x5a3f7aef, 0x8c08b1e5, 0xbddda7e0}},
      {0x123456789abcdef0, 100003, {0x1b56eb04, 0x1f2ac591, 0x19c3b673, 0xd033a435}}};
  for (const auto& k : known) {
    for (int64_t j = 0; j < 4; ++j) {
      const auto block = k.counter / 16, place = 64 * block + 16 * j + k.counter % 16;
      const auto count = place + 1;  // the last block is not whole
      std::vector<float> in(count, 3.0f), out(count, -1.0f);
      const auto kept_below = [&](uint32_t kept) {
        drop_blocks(in.data(), out.data(), count, block, block + 1, k.seed, kept, 2.0f);
        return out[place];
      };
      EXPECT_EQ(kept_below(k.words[j]), 0.0f);
      EXPECT_EQ(kept_below(k.words[j] + 1), 6.0f);
      EXPECT_EQ(out[0] == -1.0f, block > 0);  // other blocks are left alone
    }
  }
}

TEST(Dropout, KeepsTheExpectationAndTheStatedShare) {
  torch::manual_seed(11);
  const int64_t count = 1000003;
  for (const double p : {0.1, 0.4, 0.8}) {
    const auto y = apply_dropout(at::full({count}, 3.0, at::kFloat), p, true);
    const double dropped = double((y == 0).sum().item<int64_t>()) / count;
    EXPECT_NEAR(dropped, p, 5 * std::sqrt(p * (1 - p) / count));
    const auto kept = y.masked_select(y != 0);
    expect_near(kept, at::full_like(kept, 3.0 / (1 - p)), 1e-5);
    // Neighbours are independent.
    const auto zero = (y == 0).to(at::kDouble) - p;
    const double together =
        (zero.narrow(0, 1, count - 1) * zero.narrow(0, 0, count - 1)).mean().item<double>();
    EXPECT_NEAR(together, 0, 5 * p * (1 - p) / std::sqrt(double(count)));
  }
}

TEST(Dropout, SendsGradientsTheWayOfTheValues) {
  torch::manual_seed(12);
  const auto x = at::ones({70, 33}).t().requires_grad_();  // not contiguous
  const auto y = apply_dropout(x, 0.5, true);
  const auto factor = formula_values("factor", {33, 70});
  (y * factor).sum().backward();
  expect_near(x.grad(), y.detach() * factor, 1e-6);
}

TEST(Dropout, DependsOnTheSeedAloneAndNotOnThreads) {
  const auto x = formula_values("x", {300, 1000});
  const auto threads = at::get_num_threads();
  const auto seeded = [&](uint64_t seed, int count) {
    at::set_num_threads(count);
    torch::manual_seed(seed);
    return apply_dropout(x, 0.3, true);
  };
  const auto first = seeded(5, 1);
  EXPECT_TRUE(at::equal(seeded(5, 2), first));
  EXPECT_FALSE(at::equal(seeded(6, 1), first));
  EXPECT_FALSE(at::equal(apply_dropout(x, 0.3, true), apply_dropout(x, 0.3, true)));
  at::set_num_threads(threads);
}

TEST(Dropout, LeavesInputsAloneWhereThereIsNothingToDrop) {
  torch::manual_seed(5);
  const auto expected = torch::rand({2});
  torch::manual_seed(5);
  const auto x = formula_values("x", {4, 4});
  EXPECT_TRUE(apply_dropout(x, 0.3, false).is_same(x));
  EXPECT_TRUE(apply_dropout(x, 0, true).is_same(x));
  EXPECT_TRUE(at::equal(torch::rand({2}), expected));  // nothing was drawn
  EXPECT_EQ(apply_dropout(at::empty({0, 3}), 0.5, true).sizes(), (std::vector<int64_t>{0, 3}));
}

TEST(Dropout, IsTorchsForOtherDtypes) {
  const auto x = at::ones({100}, at::kDouble);
  torch::manual_seed(5);
  const auto expected = at::dropout(x, 0.5, true);
  torch::manual_seed(5);
  EXPECT_TRUE(at::equal(apply_dropout(x, 0.5, true), expected));
}

TEST(Dropout, RefusesProbabilitiesOutOfRange) {
  EXPECT_THROW(apply_dropout(at::ones({2}), 1.0, true), InvalidArgument);
  EXPECT_THROW(Dropout(-0.1), InvalidArgument);
}

}  // namespace
}  // namespace vmr::nn
