// What plots over time begin with.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "vmr/pipeline/svg_plot.h"

namespace vmr::pipeline::detail {

inline SvgPlot time_plot(std::string title, double seconds, std::string y_label,
                         std::string y_unit) {
  SvgPlot plot;
  plot.title = std::move(title);
  plot.x_axis = {"time", "s", 0, std::max(seconds, 0.1)};
  plot.y_axis = {std::move(y_label), std::move(y_unit)};
  plot.height = 240;
  return plot;
}

}  // namespace vmr::pipeline::detail
