// Pins the comparison of two systems: difference, interval and p-values to scipy and to the same
// draws in numpy, Holm's correction to statsmodels, power to scipy's tests of the same resamples
// with statsmodels' correction, and what seeds and clusters mean to worked cases.
#include "vmr/eval/significance.h"

#include <cmath>
#include <limits>

#include "eval/eval_fixture.h"
#include "vmr/core/error.h"

namespace vmr::eval {
namespace {

using Seeds = std::vector<std::vector<double>>;

const nlohmann::json& significance() {
  static const nlohmann::json document = read_json_file(VMR_TEST_DATA "/significance.json");
  return document;
}

// The only claim of its family.
PairedComparison judged(PairedComparison comparison) {
  judge_family({&comparison, 1});
  return comparison;
}

Ids counted(int64_t count) {
  Ids ids;
  for (int64_t i = 0; i < count; ++i) ids.push_back(i);
  return ids;
}

TEST(CompareSystems, EqualsTheWorkedCase) {
  const auto result = compare_systems({{1, 1, 1}}, {{0, 0, 0}}, counted(3));
  EXPECT_EQ(result.a, 1);
  EXPECT_EQ(result.b, 0);
  EXPECT_EQ(result.difference.value, 1);
  EXPECT_EQ(result.difference.low, 1);
  EXPECT_TRUE(result.exact);
  EXPECT_DOUBLE_EQ(result.p_value, 2. / 8);
  EXPECT_EQ(result.clusters, 3);
  EXPECT_EQ(judged(result).power, 0);  // 2/8 never reaches 0.05
  EXPECT_FALSE(judged(result).holds);
  // Six units of one sign: 2/64 in every resample.
  const auto six =
      compare_systems({Seeds::value_type(6, 0.5)}, {Seeds::value_type(6, 0.0)}, counted(6));
  EXPECT_DOUBLE_EQ(six.p_value, 2. / 64);
  EXPECT_EQ(judged(six).power, 1);
  EXPECT_TRUE(judged(six).holds);
  // Twice in a family both p are doubled: 4/64 is not below 0.05.
  std::vector<PairedComparison> twice = {six, six};
  judge_family(twice);
  EXPECT_DOUBLE_EQ(twice[0].adjusted_p, 4. / 64);
  EXPECT_FALSE(twice[0].holds);
  EXPECT_EQ(twice[0].power, 0);
}

TEST(CompareSystems, EqualsScipyOverSeedsAndClusters) {
  for (const auto& g : significance().at("comparisons")) {
    SignificanceOptions options;
    options.bootstrap = {.resamples = g.at("resamples"), .seed = g.at("seed")};
    options.permutation = {.permutations = g.at("permutations"), .seed = g.at("seed")};
    const auto result = compare_systems(g.at("a").get<Seeds>(), g.at("b").get<Seeds>(),
                                        g.at("clusters").get<Ids>(), options);
    EXPECT_NEAR(result.a, g.at("mean_a").get<double>(), 1e-12);
    EXPECT_NEAR(result.b, g.at("mean_b").get<double>(), 1e-12);
    EXPECT_NEAR(result.difference.value, g.at("difference")[0].get<double>(), 1e-12);
    EXPECT_NEAR(result.difference.low, g.at("difference")[1].get<double>(), 1e-12);
    EXPECT_NEAR(result.difference.high, g.at("difference")[2].get<double>(), 1e-12);
    EXPECT_EQ(result.exact, g.at("exact").get<bool>());
    EXPECT_NEAR(result.p_value, g.at("p_value").get<double>(), 1e-12);
    EXPECT_TRUE(std::isnan(result.power));
  }
}

TEST(JudgeFamily, CountsWhatHoldsInResamplesOfTheWholeFamily) {
  for (const auto& g : significance().at("families")) {
    SignificanceOptions options;
    options.bootstrap.seed = options.permutation.seed = g.at("seed");
    options.permutation.permutations = options.power_permutations = g.at("permutations");
    options.power_resamples = g.at("power_resamples");
    const auto clusters = g.at("clusters").get<Ids>();
    const Seeds nothing = {std::vector<double>(clusters.size(), 0.0)};
    std::vector<PairedComparison> family;
    for (const auto& values : g.at("values")) {
      family.push_back(
          compare_systems({values.get<std::vector<double>>()}, nothing, clusters, options));
    }
    judge_family(family, options);
    double within = 0;
    for (size_t i = 0; i < family.size(); ++i) {
      EXPECT_NEAR(family[i].power, g.at("power")[i].get<double>(), 1e-12) << i;
      EXPECT_EQ(family[i].holds, g.at("holds")[i].get<bool>()) << i;
      within += family[i].power > 0 && family[i].power < 1;
      // A clear difference against the claim is no power to show it.
      if (family[i].difference.value < 0) {
        EXPECT_LT(family[i].power, 0.05);
      }
    }
    EXPECT_GT(within, 0);  // else the family would pin nothing
  }
}

TEST(CompareSystems, DrawnPatternsComeCloseToAllOfThem) {
  const auto& g = significance().at("comparisons")[0];
  SignificanceOptions drawn;
  drawn.permutation = {.permutations = 200, .seed = 5};
  drawn.power_resamples = 0;
  auto result = compare_systems(g.at("a").get<Seeds>(), g.at("b").get<Seeds>(),
                                g.at("clusters").get<Ids>(), drawn);
  const double p = g.at("p_value");
  EXPECT_FALSE(result.exact);
  EXPECT_NEAR(result.p_value, p, 4 * std::sqrt(p * (1 - p) / 200));
  EXPECT_GE(result.p_value, 1. / 201);  // never zero
  judge_family({&result, 1}, drawn);
  EXPECT_TRUE(std::isnan(result.power));
}

TEST(CompareSystems, SeedsAreAveragedAndAddNoUnits) {
  const Ids clusters = {4, 4, 7, 8, 8, 8};
  const Seeds a = {{1, 0, 1, 1, 0, 1}, {1, 1, 0, 1, 0, 0}}, b = {{0, 0, 1, 0, 1, 0}};
  const auto result = compare_systems(a, b, clusters);
  const auto mean = compare_systems({{1, 0.5, 0.5, 1, 0, 0.5}}, b, clusters);
  const auto copies = compare_systems({a[0], a[1], a[0], a[1]}, b, clusters);
  for (const auto* other : {&mean, &copies}) {
    EXPECT_EQ(result.clusters, 3);
    EXPECT_DOUBLE_EQ(result.p_value, other->p_value);
    EXPECT_NEAR(result.difference.low, other->difference.low, 1e-12);
    EXPECT_NEAR(judged(result).power, judged(*other).power, 1e-12);
  }
  // Turned round: the other sign, the same p.
  const auto turned = compare_systems(b, a, clusters);
  EXPECT_NEAR(turned.difference.value, -result.difference.value, 1e-12);
  EXPECT_DOUBLE_EQ(turned.p_value, result.p_value);
}

TEST(CompareSystems, FindsNothingBetweenEqualSystems) {
  const Seeds same = {{0.2, 0.9, 0.4, 0.1, 0.7, 0.5, 0.3}};
  const auto result = compare_systems(same, same, counted(7));
  EXPECT_EQ(result.p_value, 1);
  EXPECT_EQ(judged(result).power, 0);
  EXPECT_EQ(result.difference.low, 0);
}

TEST(CompareSystems, PowerGrowsWithUnits) {
  // The same effect of a third of its deviation on ever more tracks.
  double before = 0;
  for (const int64_t tracks : {20, 60, 180}) {
    std::vector<double> a;
    for (int64_t i = 0; i < tracks; ++i) a.push_back(std::sin(12.9898 * double(i)) + 0.25);
    const std::vector<double> b(a.size(), 0.0);
    const auto result = judged(compare_systems({a}, {b}, counted(tracks)));
    EXPECT_EQ(judged(compare_systems({b}, {a}, counted(tracks))).power, 0);
    EXPECT_GT(result.power, before);
    before = result.power;
  }
  EXPECT_GT(before, 0.9);
}

TEST(JudgeFamily, CorrectsAsStatsmodels) {
  const auto& g = significance().at("holm");
  const auto p = g.at("p_values").get<std::vector<double>>();
  const auto want = g.at("adjusted").get<std::vector<double>>();
  std::vector<PairedComparison> family(p.size());
  for (size_t i = 0; i < p.size(); ++i) family[i].p_value = p[i];
  SignificanceOptions options;
  options.power_resamples = 0;
  judge_family(family, options);
  for (size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(family[i].adjusted_p, want[i], 1e-12) << i;
}

TEST(CompareSystems, RefusesWhatItCannotCompare) {
  EXPECT_THROW(compare_systems({}, {{1}}, counted(1)), InvalidArgument);
  EXPECT_THROW(compare_systems({{}}, {{}}, Ids{}), InvalidArgument);
  EXPECT_THROW(compare_systems({{1, 2}}, {{1}}, counted(2)), InvalidArgument);
  EXPECT_THROW(
      compare_systems({{1, 2}}, {{1, std::numeric_limits<double>::quiet_NaN()}}, counted(2)),
      InvalidArgument);
  SignificanceOptions options;
  std::vector<PairedComparison> family = {compare_systems({{1}}, {{0}}, counted(1)),
                                          compare_systems({{1, 0}}, {{0, 0}}, counted(2))};
  EXPECT_THROW(judge_family(family), InvalidArgument);
  options.alpha = 1;
  EXPECT_THROW(compare_systems({{1}}, {{0}}, counted(1), options), InvalidArgument);
}

}  // namespace
}  // namespace vmr::eval
