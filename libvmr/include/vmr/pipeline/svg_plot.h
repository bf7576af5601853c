// Plots as SVG text: lines, bars, shaded spans and vertical markers over one pair of axes. For
// trajectories with their segments, onset strength with beats, curves of a training run. The text
// is a whole file; it may also be put into an HTML page. Every label is escaped, numbers are
// written with the same digits on every machine and locale. Plain values; svg() is thread-safe.
#pragma once

#include <string>
#include <vector>

namespace vmr::pipeline {

struct SvgAxis {
  std::string label;  // "time", "flow"
  std::string unit;   // "s", "pixels": shown in brackets; "" = none
  // Range shown; begin >= end means: what the data cover (and 0 for bars).
  double begin = 0.0, end = 0.0;
};

// Points joined by a line, or a bar from 0 at each point. A point that is not finite is left out
// and breaks the line.
struct SvgSeries {
  enum class Kind { line, bars };
  std::string name;  // in the legend; "" = not listed
  std::vector<double> x, y;
  Kind kind = Kind::line;
  std::string colour;  // "#1f77b4" or a CSS name; "" = the next of a palette
};

// A dashed vertical line, such as a cut or a beat.
struct SvgMarker {
  double x = 0.0;
  std::string label;  // written at its top; "" = none
  std::string colour = "#444444";
};

// A shaded stretch of the x axis, such as a segment. begin <= end.
struct SvgSpan {
  double begin = 0.0, end = 0.0;
  std::string label;  // written in its middle at the top; "" = none
  std::string colour = "#1f77b4";
};

struct SvgPlot {
  std::string title;
  SvgAxis x_axis, y_axis;
  std::vector<SvgSeries> series;
  std::vector<SvgMarker> markers;
  std::vector<SvgSpan> spans;
  int width = 960, height = 320;  // pixels, in 200..10000
};

// Throws: InvalidArgument unless x and y of each series are equally long, widths and ranges are
// usable, and colours are made of letters, digits, '#', '(', ')', ',', '.', '%' and spaces.
void validate(const SvgPlot& plot);

// The plot as a UTF-8 SVG 1.1 document.
// Throws: InvalidArgument.
std::string svg(const SvgPlot& plot);

// Round numbers for about `count` ticks within [begin, end]: steps of 1, 2 or 5 times a power of
// ten. nice_ticks(0, 1, 5) = {0, 0.2, 0.4, 0.6, 0.8, 1}.
// Requires: begin < end, both finite, count >= 1. Throws: InvalidArgument.
std::vector<double> nice_ticks(double begin, double end, int count);

// & < > " ' written as entities, control characters other than tab and newline left out.
std::string escape_xml(const std::string& text);

}  // namespace vmr::pipeline
