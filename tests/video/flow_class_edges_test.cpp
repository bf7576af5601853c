// Pins flow classes: the published edges, quantile edges by hand, counts, and the JSON text.
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "vmr/core/error.h"
#include "vmr/video/clip_flow.h"

namespace vmr::video {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

at::Tensor tensor(const std::vector<float>& values) {
  at::Tensor result = at::empty({static_cast<int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), result.mutable_data_ptr<float>());
  return result;
}

std::vector<int64_t> list(const at::Tensor& classes) {
  const auto* data = classes.const_data_ptr<int64_t>();
  return {data, data + classes.numel()};
}

TEST(FlowClasses, OfTheReferenceAreSteepsOfFivePixels) {
  const auto result = flow_classes(
      tensor({0.0f, 4.99f, 5.0f, 17.0f, 314.9f, 315.0f, 319.9f, 320.0f, 1e6f, -0.1f, kNan}),
      reference_edges());
  EXPECT_THAT(list(result.classes), ElementsAre(0, 0, 1, 3, 62, 63, 63, 63, 63, 0, 64));
  EXPECT_EQ(result.clamped, 3);
  EXPECT_EQ(result.missing, 1);
  EXPECT_EQ(reference_edges().classes(), 64);
}

TEST(FlowClasses, TakeInfinityAndEmptyInput) {
  const float infinity = std::numeric_limits<float>::infinity();
  const auto result = flow_classes(tensor({infinity, -infinity}), reference_edges());
  EXPECT_THAT(list(result.classes), ElementsAre(63, 0));
  EXPECT_EQ(result.clamped, 2);
  EXPECT_EQ(flow_classes(tensor({}), reference_edges()).classes.numel(), 0);
  EXPECT_EQ(list(flow_classes(at::full({1}, 12.0, at::kDouble), reference_edges()).classes)[0], 2);
  EXPECT_THROW(flow_classes(at::empty({2}, at::kLong), reference_edges()), InvalidArgument);
  EXPECT_THROW(flow_classes(at::empty({2, 2}, at::kFloat), reference_edges()), InvalidArgument);
}

TEST(QuantileEdges, AreQuantilesByHand) {
  // Sorted 1 2 4 8 16, positions 0, 1, 2, 3, 4 for four classes and 0, 2, 4 for two.
  const auto four = fit_quantile_edges({8, kNan, 1, 16, 4, 2}, 4);
  ASSERT_EQ(four.edges.size(), 5u);
  EXPECT_THAT(std::vector<double>(four.edges.begin(), four.edges.end() - 1),
              ElementsAre(1, 2, 4, 8));
  EXPECT_GT(four.edges.back(), 16.0);
  EXPECT_LT(four.edges.back(), 16.0 + 1e-9);
  EXPECT_EQ(fit_quantile_edges({8, 1, 16, 4, 2}, 2).edges[1], 4.0);
  // Three classes fall at positions 4/3 and 8/3: 2 + (4 - 2)/3 and 4 + (8 - 4)*2/3.
  const auto three = fit_quantile_edges({8, 1, 16, 4, 2}, 3);
  EXPECT_NEAR(three.edges[1], 2 + 2.0 / 3, 1e-12);
  EXPECT_NEAR(three.edges[2], 4 + 8.0 / 3, 1e-12);
  EXPECT_EQ(three.kind, "quantile");
}

TEST(QuantileEdges, SpreadTrainingValuesEvenlyWithoutClamping) {
  std::vector<float> values;
  for (int i = 0; i < 6400; ++i) values.push_back(std::exp(0.001f * static_cast<float>(i)));
  const auto result = flow_classes(tensor(values), fit_quantile_edges(values));
  EXPECT_EQ(result.clamped, 0);
  std::vector<int> counts(64);
  for (const int64_t label : list(result.classes)) ++counts.at(static_cast<size_t>(label));
  for (const int count : counts) EXPECT_NEAR(count, 100, 1);
}

TEST(QuantileEdges, SurviveRepeatedAndSingleValues) {
  const auto still = fit_quantile_edges({0, 0, 0, 0, 0, 7}, 4);
  const auto labels = flow_classes(tensor({0, 7, 8, -1}), still);
  // Edges 0 0 0 0 7: zero lies in the last of the classes that begin at 0.
  EXPECT_THAT(list(labels.classes), ElementsAre(3, 3, 3, 0));
  EXPECT_EQ(labels.clamped, 2);
  EXPECT_EQ(flow_classes(tensor({3}), fit_quantile_edges({3}, 2)).clamped, 0);
  EXPECT_THROW(fit_quantile_edges({}), InvalidArgument);
  EXPECT_THROW(fit_quantile_edges({kNan}), InvalidArgument);
  EXPECT_THROW(fit_quantile_edges({1.0f}, 0), InvalidArgument);
}

TEST(FlowClassEdges, ReadBackFromJsonBitForBit) {
  const auto edges = fit_quantile_edges({0.1f, 1.0f / 3, 0.7f, 2.2f, 9.9f}, 7);
  EXPECT_EQ(flow_class_edges_from_json(to_json(edges)), edges);
  EXPECT_EQ(flow_class_edges_from_json(to_json(reference_edges())), reference_edges());
}

TEST(FlowClassEdges, SayWhatIsWrongInJson) {
  const auto message = [](const std::string& text) {
    try {
      flow_class_edges_from_json(text);
    } catch (const InvalidArgument& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  EXPECT_THAT(message("{"), HasSubstr("parse error"));
  EXPECT_THAT(message(R"({"kind":"x","edges":[3]})"), HasSubstr("two or more"));
  EXPECT_THAT(message(R"({"kind":"x","edges":[3,1]})"), HasSubstr("edge 1 is 1 after 3"));
  EXPECT_THAT(message(R"({"kind":"x","edge":[1,3]})"), HasSubstr("edges"));
}

}  // namespace
}  // namespace vmr::video
