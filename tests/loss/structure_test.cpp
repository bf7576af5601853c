// Pins the VM-NET window of soft_structure against a plain loop (golden) and a hand-worked case,
// and first_occurrences. The UT-CMVMR window is pinned in matching_test.cpp.
#include "vmr/loss/structure.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "loss/gradient_check.h"
#include "vmr/core/error.h"

namespace vmr::loss {
namespace {

using test::doubles;

constexpr SoftStructureOptions kVmNet{.rule = StructureWindow::vm_net};

at::Tensor turned(std::vector<double> degrees) {
  auto rows = at::empty({int64_t(degrees.size()), 2}, at::kDouble);
  for (size_t i = 0; i < degrees.size(); ++i) {
    rows[int64_t(i)][0] = std::cos(degrees[i] * M_PI / 180);
    rows[int64_t(i)][1] = std::sin(degrees[i] * M_PI / 180);
  }
  return rows;
}

double value(const at::Tensor& low, const at::Tensor& embedded, SoftStructureOptions o = kVmNet) {
  return soft_structure(low, embedded, o).item<double>();
}

TEST(VmNetStructure, ComparesEveryRowAndColumn) {
  // Items at 0, 30, 80 degrees, embedded at 0, 50, 20. Steps cos(d to right) - cos(d to left):
  //   low       row 0: c30 - 1, c80 - c30    row 1: 1 - c30, c50 - 1     row 2: c50 - c80, 1 - c50
  //   embedded  row 0: c50 - 1, c20 - c50    row 1: 1 - c50, c30 - 1     row 2: c30 - c20, 1 - c30
  // Signs differ at row 0 (second) and row 2 (first): 2 (c20 - c50) + 2 (c20 - c30), over 3 x 2.
  const auto c = [](double degrees) { return std::cos(degrees * M_PI / 180); };
  EXPECT_NEAR(value(turned({0, 30, 80}), turned({0, 50, 20})),
              2 * ((c(20) - c(50)) + (c(20) - c(30))) / 6, 1e-12);
  EXPECT_EQ(value(turned({0, 30, 80}), turned({0, 5, 7})), 0.0);
  // Two items: two rows of one step, always in order.
  EXPECT_EQ(value(turned({0, 30}), turned({10, 80})), 0.0);
  // The whole window of the other rule is a part of this one's.
  EXPECT_NE(value(turned({0, 30, 80}), turned({0, 50, 20})),
            value(turned({0, 30, 80}), turned({0, 50, 20}), {}));
}

TEST(VmNetStructure, EqualsAPlainLoop) {
  std::ifstream in(VMR_TEST_DATA "/baselines.json");
  const auto g = nlohmann::json::parse(in).at("losses");
  const auto tensor = [&](const char* name) {
    return doubles(g.at(name).at("values").get<std::vector<double>>(),
                   g.at(name).at("shape").get<std::vector<int64_t>>());
  };
  for (const auto& want : g.at("structure")) {
    const auto rule =
        want.at("rule") == "vm_net" ? StructureWindow::vm_net : StructureWindow::ut_cmvmr;
    EXPECT_NEAR(value(tensor("y"), tensor("x"), {.window = want.at("window"), .rule = rule}),
                want.at("value").get<double>(), 1e-12)
        << want;
  }
}

TEST(VmNetStructure, HasTheGradientOfItsValueAndNoneForItsInputs) {
  const auto low = doubles({1, 0, 0.9, 0.5, 0.2, 1, 0.1, -0.4}, {4, 2});
  const auto embedded = doubles({0.3, 0.1, -0.2, 0.8, 0.5, 0.5, 0.9, 0.1}, {4, 2});
  test::expect_gradients([&](const auto& x) { return soft_structure(low, x[0], kVmNet); },
                         {embedded});
  auto watched = low.clone().requires_grad_(true);
  auto vectors = embedded.clone().requires_grad_(true);
  soft_structure(watched, vectors, kVmNet).backward();
  EXPECT_TRUE(!watched.grad().defined() || watched.grad().abs().max().item<double>() == 0);
  EXPECT_THROW(soft_structure(low.narrow(0, 0, 1), low.narrow(0, 0, 1), kVmNet), InvalidArgument);
}

TEST(FirstOccurrences, KeepsOneRowAnId) {
  EXPECT_TRUE(at::equal(first_occurrences(at::tensor({7, 8, 7, 9, 8}, at::kLong)),
                        at::tensor({0, 1, 3}, at::kLong)));
  EXPECT_EQ(first_occurrences(at::zeros({0}, at::kLong)).numel(), 0);
  EXPECT_THROW(first_occurrences(at::zeros({2}, at::kDouble)), InvalidArgument);
  EXPECT_TRUE(at::equal(first_occurrences({"b", "a", "b", "c"}), at::tensor({0, 1, 3}, at::kLong)));
}

}  // namespace
}  // namespace vmr::loss
