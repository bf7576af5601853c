// Pins plots: where points, bars, spans and markers lie in pixels, ticks, escaping, refusals.
#include "vmr/pipeline/svg_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "vmr/core/error.h"

namespace vmr::pipeline {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pointwise;

// The drawing area of a 480 x 284 plot: x 64..464 and y 36..236, 400 x 200 pixels.
SvgPlot plot_of(const std::vector<double>& x, const std::vector<double>& y) {
  SvgPlot plot{.title = "", .width = 480, .height = 284};
  plot.x_axis = {.label = "time", .unit = "s", .begin = 0, .end = 10};
  plot.y_axis = {.label = "flow", .unit = "pixels", .begin = 0, .end = 4};
  plot.series = {{.name = "", .x = x, .y = y}};
  return plot;
}

TEST(Svg, PutsPointsWhereTheAxesSay) {
  // x 5 is the middle, 64 + 200; y 1 is a quarter from below, 236 - 50.
  EXPECT_THAT(svg(plot_of({0, 5, 10}, {0, 1, 4})),
              HasSubstr("d=\"M64.00 236.00L264.00 186.00L464.00 36.00\""));
}

TEST(Svg, BreaksTheLineAtMissingValues) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(svg(plot_of({0, 5, 10}, {0, nan, 4})), HasSubstr("d=\"M64.00 236.00M464.00 36.00\""));
  EXPECT_THAT(svg(plot_of({0, 5}, {nan, nan})), Not(HasSubstr("<path")));
}

TEST(Svg, DrawsBarsFromZero) {
  SvgPlot plot = plot_of({2.5, 5, 7.5}, {1, 2, -1});
  plot.y_axis.begin = -4;
  plot.series[0].kind = SvgSeries::Kind::bars;
  plot.series[0].colour = "red";
  const std::string text = svg(plot);
  // 2.5 apart are 100 pixels: bars of 80. y 0 lies at 136, one unit is 25 pixels.
  EXPECT_THAT(text, HasSubstr("x=\"124.00\" y=\"111.00\" width=\"80.00\" height=\"25.00\""));
  EXPECT_THAT(text, HasSubstr("x=\"224.00\" y=\"86.00\" width=\"80.00\" height=\"50.00\""));
  EXPECT_THAT(text, HasSubstr("x=\"324.00\" y=\"136.00\" width=\"80.00\" height=\"25.00\""));
}

TEST(Svg, DrawsSpansAndMarkersCutToTheAxis) {
  SvgPlot plot = plot_of({0, 10}, {0, 4});
  plot.spans = {{.begin = 5, .end = 20, .label = "best", .colour = "green"},
                {.begin = 11, .end = 12, .label = "outside"}};
  plot.markers = {{.x = 2.5, .label = "cut"}, {.x = 12, .label = "late"}};
  const std::string text = svg(plot);
  EXPECT_THAT(text, HasSubstr("x=\"264.00\" y=\"36.00\" width=\"200.00\" height=\"200.00\" "
                              "fill=\"green\""));
  EXPECT_THAT(text, HasSubstr("x1=\"164.00\" y1=\"36.00\" x2=\"164.00\" y2=\"236.00\""));
  EXPECT_THAT(text, HasSubstr(">best<"));
  EXPECT_THAT(text, HasSubstr(">cut<"));
  EXPECT_THAT(text, Not(HasSubstr("outside")));
  EXPECT_THAT(text, Not(HasSubstr("late")));
}

TEST(Svg, ShowsUnitsAndEscapesEveryText) {
  SvgPlot plot = plot_of({0, 1}, {0, 1});
  plot.title = "a<b & \"c\"\x01";
  plot.series[0].name = "<script>";
  plot.markers = {{.x = 1, .label = "'m'"}};
  const std::string text = svg(plot);
  EXPECT_THAT(text, HasSubstr("time [s]"));
  EXPECT_THAT(text, HasSubstr("flow [pixels]"));
  EXPECT_THAT(text, HasSubstr("a&lt;b &amp; &quot;c&quot;<"));
  EXPECT_THAT(text, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(text, HasSubstr("&#39;m&#39;"));
  EXPECT_THAT(text, Not(HasSubstr("<script>")));
}

TEST(Svg, TakesItsRangeFromTheDataWhereNoneIsGiven) {
  SvgPlot plot = plot_of({2, 4}, {0, 10});
  plot.x_axis.begin = plot.x_axis.end = 0;
  plot.y_axis.begin = plot.y_axis.end = 0;
  // x 2..4 fills the width; y begins at 0 and has 5 % of room above: 236 - 200 / 1.05.
  EXPECT_THAT(svg(plot), HasSubstr("d=\"M64.00 236.00L464.00 45.52\""));
  plot.series = {};
  EXPECT_THAT(svg(plot), HasSubstr("</svg>"));
  plot.series = {{.name = "one", .x = {3}, .y = {7}}};
  EXPECT_THAT(svg(plot), HasSubstr("d=\"M264.00 136.00\""));
}

TEST(Svg, SaysWhatIsWrong) {
  const auto message = [](const SvgPlot& plot) {
    try {
      svg(plot);
    } catch (const InvalidArgument& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  EXPECT_THAT(message(plot_of({0, 1}, {0})), HasSubstr("2 x and 1 y"));
  SvgPlot plot = plot_of({0}, {0});
  plot.width = 10;
  EXPECT_THAT(message(plot), HasSubstr("10 x 284"));
  plot = plot_of({0}, {0});
  plot.series[0].colour = "red\" onload=\"x";
  EXPECT_THAT(message(plot), HasSubstr("colour"));
  plot = plot_of({0}, {0});
  plot.spans = {{.begin = 3, .end = 2}};
  EXPECT_THAT(message(plot), HasSubstr("3 to 2"));
  plot = plot_of({0}, {0});
  plot.y_axis.end = std::numeric_limits<double>::infinity();
  EXPECT_THAT(message(plot), HasSubstr("y_axis"));
}

TEST(NiceTicks, AreStepsOfOneTwoOrFive) {
  EXPECT_THAT(nice_ticks(0, 1, 5), Pointwise(DoubleNear(1e-12), {0.0, 0.2, 0.4, 0.6, 0.8, 1.0}));
  EXPECT_THAT(nice_ticks(-3, 12, 4), ElementsAre(0, 5, 10));
  EXPECT_THAT(nice_ticks(1017, 1043, 3), ElementsAre(1020, 1030, 1040));
  EXPECT_THAT(nice_ticks(0, 0.003, 3), Pointwise(DoubleNear(1e-15), {0.0, 0.001, 0.002, 0.003}));
  EXPECT_THROW(nice_ticks(1, 1, 3), InvalidArgument);
  EXPECT_LE(nice_ticks(1e300, 2e300, 5).size(), 6u);
  EXPECT_EQ(nice_ticks(1e17, 1e17 + 64, 64).size(), 2u);
}

}  // namespace
}  // namespace vmr::pipeline
