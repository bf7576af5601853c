#include "vmr/pipeline/svg_plot.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "vmr/core/error.h"

namespace vmr::pipeline {
namespace {

constexpr double kLeft = 64, kRight = 16, kTop = 36, kBottom = 48;  // margins, pixels
constexpr double kLegendRow = 16;
constexpr const char* kPalette[] = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd",
                                    "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f"};

// Locale-free text of a number: shortest that reads back equal, at most `digits` significant.
std::string number(double value, int digits = 6) {
  char text[64];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::general, digits).ptr;
  return {text, end};
}

// Coordinates need two decimals only.
std::string pixel(double value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 2).ptr;
  return {text, end};
}

struct Range {
  double begin = std::numeric_limits<double>::infinity();
  double end = -std::numeric_limits<double>::infinity();

  void cover(double value) {
    if (!std::isfinite(value)) return;
    begin = std::min(begin, value);
    end = std::max(end, value);
  }
};

// The range an axis shows: the asked one, or that of the data widened where it is a single point.
Range shown(const SvgAxis& axis, Range data, double margin) {
  if (axis.begin < axis.end) return {axis.begin, axis.end};
  if (data.begin > data.end) return {0.0, 1.0};
  if (data.begin == data.end) {
    const double half = data.begin == 0 ? 0.5 : std::abs(data.begin) * 0.5;
    return {data.begin - half, data.end + half};
  }
  const double extra = (data.end - data.begin) * margin;
  // A range that begins at 0 keeps doing so.
  return {data.begin == 0 ? 0.0 : data.begin - extra, data.end + extra};
}

// Maps data to pixels and writes elements.
class Canvas {
 public:
  Canvas(const SvgPlot& plot, Range x, Range y) : plot_(plot), x_(x), y_(y) {
    right_ = plot.width - kRight;
    bottom_ = plot.height - kBottom;
  }

  double px(double x) const {
    return kLeft + (x - x_.begin) / (x_.end - x_.begin) * (right_ - kLeft);
  }
  double py(double y) const {
    return bottom_ - (y - y_.begin) / (y_.end - y_.begin) * (bottom_ - kTop);
  }

  void add(std::string_view text) { out_ += text; }
  void text(double x, double y, const std::string& text, std::string_view anchor,
            std::string_view more = "") {
    out_ += "<text x=\"" + pixel(x) + "\" y=\"" + pixel(y) + "\" text-anchor=\"";
    out_ += anchor;
    out_ += '"';
    out_ += more;
    out_ += '>';
    out_ += escape_xml(text);
    out_ += "</text>\n";
  }
  void line(double x1, double y1, double x2, double y2, const std::string& style) {
    out_ += "<line x1=\"" + pixel(x1) + "\" y1=\"" + pixel(y1) + "\" x2=\"" + pixel(x2) +
            "\" y2=\"" + pixel(y2) + "\" " + style + "/>\n";
  }
  void rectangle(double x, double y, double width, double height, const std::string& style) {
    out_ += "<rect x=\"" + pixel(x) + "\" y=\"" + pixel(y) + "\" width=\"" + pixel(width) +
            "\" height=\"" + pixel(height) + "\" " + style + "/>\n";
  }

  // Until the next </svg>: what lies outside an asked range is not drawn over the margins.
  void begin_clip() {
    const std::string box = pixel(kLeft) + " " + pixel(kTop) + " " + pixel(right_ - kLeft) + " " +
                            pixel(bottom_ - kTop);
    out_ += "<svg x=\"" + pixel(kLeft) + "\" y=\"" + pixel(kTop) + "\" width=\"" +
            pixel(right_ - kLeft) + "\" height=\"" + pixel(bottom_ - kTop) + "\" viewBox=\"" + box +
            "\">\n";
  }
  void axes();
  void spans();
  void markers();
  void series(const SvgSeries& series, const std::string& colour);
  void legend(const std::vector<std::string>& colours);
  std::string take() { return std::move(out_); }

 private:
  void path(const SvgSeries& series, const std::string& colour);
  void bars(const SvgSeries& series, const std::string& colour);

  const SvgPlot& plot_;
  Range x_, y_;
  double right_, bottom_;
  std::string out_;
};

std::string axis_title(const SvgAxis& axis) {
  return axis.unit.empty() ? axis.label : axis.label + " [" + axis.unit + "]";
}

void Canvas::axes() {
  const std::string grid = "stroke=\"#e0e0e0\"";
  for (const double tick : nice_ticks(x_.begin, x_.end, std::max(2, plot_.width / 110))) {
    line(px(tick), kTop, px(tick), bottom_, grid);
    text(px(tick), bottom_ + 16, number(tick), "middle");
  }
  for (const double tick : nice_ticks(y_.begin, y_.end, std::max(2, plot_.height / 60))) {
    line(kLeft, py(tick), right_, py(tick), grid);
    text(kLeft - 6, py(tick) + 4, number(tick), "end");
  }
  rectangle(kLeft, kTop, right_ - kLeft, bottom_ - kTop, "fill=\"none\" stroke=\"#888888\"");
  text((kLeft + right_) / 2, bottom_ + 36, axis_title(plot_.x_axis), "middle");
  const double middle = (kTop + bottom_) / 2;
  text(16, middle, axis_title(plot_.y_axis), "middle",
       " transform=\"rotate(-90 16 " + pixel(middle) + ")\"");
  text((kLeft + right_) / 2, 20, plot_.title, "middle", " font-size=\"14\" font-weight=\"bold\"");
}

void Canvas::spans() {
  for (const SvgSpan& span : plot_.spans) {
    const double begin = std::clamp(span.begin, x_.begin, x_.end);
    const double end = std::clamp(span.end, x_.begin, x_.end);
    if (end <= begin) continue;
    rectangle(px(begin), kTop, px(end) - px(begin), bottom_ - kTop,
              "fill=\"" + span.colour + "\" fill-opacity=\"0.15\"");
    if (!span.label.empty()) text((px(begin) + px(end)) / 2, kTop + 12, span.label, "middle");
  }
}

void Canvas::markers() {
  for (const SvgMarker& marker : plot_.markers) {
    if (!(marker.x >= x_.begin && marker.x <= x_.end)) continue;
    line(px(marker.x), kTop, px(marker.x), bottom_,
         "stroke=\"" + marker.colour + "\" stroke-dasharray=\"4 3\"");
    if (!marker.label.empty()) text(px(marker.x) + 3, kTop + 24, marker.label, "start");
  }
}

void Canvas::path(const SvgSeries& series, const std::string& colour) {
  std::string points;
  bool pen_down = false;
  for (size_t i = 0; i < series.x.size(); ++i) {
    if (!std::isfinite(series.x[i]) || !std::isfinite(series.y[i])) {
      pen_down = false;
      continue;
    }
    points += pen_down ? 'L' : 'M';
    points += pixel(px(series.x[i])) + " " + pixel(py(series.y[i]));
    pen_down = true;
  }
  if (points.empty()) return;
  add("<path d=\"" + points + "\" fill=\"none\" stroke=\"" + colour +
      "\" stroke-width=\"1.5\" stroke-linecap=\"round\" stroke-linejoin=\"round\"/>\n");
}

void Canvas::bars(const SvgSeries& series, const std::string& colour) {
  double step = right_ - kLeft;
  for (size_t i = 1; i < series.x.size(); ++i) {
    const double gap = std::abs(px(series.x[i]) - px(series.x[i - 1]));
    if (std::isfinite(gap) && gap > 0) step = std::min(step, gap);
  }
  const double width = std::max(0.5, 0.8 * std::min(step, (right_ - kLeft) / 4));
  for (size_t i = 0; i < series.x.size(); ++i) {
    if (!std::isfinite(series.x[i]) || !std::isfinite(series.y[i])) continue;
    const double top = py(std::max(series.y[i], 0.0)), low = py(std::min(series.y[i], 0.0));
    rectangle(px(series.x[i]) - width / 2, top, width, low - top, "fill=\"" + colour + "\"");
  }
}

void Canvas::series(const SvgSeries& series, const std::string& colour) {
  series.kind == SvgSeries::Kind::line ? path(series, colour) : bars(series, colour);
}

void Canvas::legend(const std::vector<std::string>& colours) {
  double y = kTop + 14;
  for (size_t i = 0; i < plot_.series.size(); ++i) {
    if (plot_.series[i].name.empty()) continue;
    rectangle(right_ - 18, y - 8, 10, 8, "fill=\"" + colours[i] + "\"");
    text(right_ - 24, y, plot_.series[i].name, "end");
    y += kLegendRow;
  }
}

void check_colour(const std::string& colour) {
  const bool plain = std::all_of(colour.begin(), colour.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("#(),.% ").find(c) != std::string_view::npos;
  });
  VMR_CHECK(plain, "SvgPlot: colour must be like #1f77b4 or a CSS name, got ", colour);
}

void check_axis(const SvgAxis& axis, const char* name) {
  VMR_CHECK(std::isfinite(axis.begin) && std::isfinite(axis.end), "SvgPlot: ", name,
            " must have a finite range, got ", axis.begin, " to ", axis.end);
}

}  // namespace

void validate(const SvgPlot& plot) {
  VMR_CHECK(plot.width >= 200 && plot.width <= 10000 && plot.height >= 200 && plot.height <= 10000,
            "SvgPlot: width and height must be in 200..10000 pixels, got ", plot.width, " x ",
            plot.height);
  check_axis(plot.x_axis, "x_axis");
  check_axis(plot.y_axis, "y_axis");
  for (const SvgSeries& series : plot.series) {
    VMR_CHECK(series.x.size() == series.y.size(), "SvgPlot: series \"", series.name, "\" has ",
              series.x.size(), " x and ", series.y.size(),
              " y values; they must be equal in number");
    check_colour(series.colour);
  }
  for (const SvgMarker& marker : plot.markers) check_colour(marker.colour);
  for (const SvgSpan& span : plot.spans) {
    VMR_CHECK(span.begin <= span.end, "SvgPlot: span \"", span.label, "\" must not end before it ",
              "begins, got ", span.begin, " to ", span.end);
    check_colour(span.colour);
  }
}

std::string svg(const SvgPlot& plot) {
  validate(plot);
  Range x, y;
  for (const SvgSeries& series : plot.series) {
    for (const double value : series.x) x.cover(value);
    for (const double value : series.y) y.cover(value);
    if (series.kind == SvgSeries::Kind::bars) y.cover(0.0);
  }
  for (const SvgMarker& marker : plot.markers) x.cover(marker.x);
  for (const SvgSpan& span : plot.spans) {
    x.cover(span.begin);
    x.cover(span.end);
  }
  Canvas canvas(plot, shown(plot.x_axis, x, 0.0), shown(plot.y_axis, y, 0.05));
  const std::string size = std::to_string(plot.width), height = std::to_string(plot.height);
  canvas.add("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + size + "\" height=\"" + height +
             "\" viewBox=\"0 0 " + size + " " + height +
             "\" font-family=\"sans-serif\" font-size=\"11\" fill=\"#222222\">\n");
  canvas.add("<title>" + escape_xml(plot.title) + "</title>\n");
  canvas.rectangle(0, 0, plot.width, plot.height, "fill=\"#ffffff\"");
  canvas.spans();
  canvas.axes();
  canvas.begin_clip();
  std::vector<std::string> colours;
  for (const SvgSeries& series : plot.series) {
    colours.push_back(series.colour.empty() ? kPalette[colours.size() % std::size(kPalette)]
                                            : series.colour);
    canvas.series(series, colours.back());
  }
  canvas.add("</svg>\n");
  canvas.markers();
  canvas.legend(colours);
  canvas.add("</svg>\n");
  return canvas.take();
}

std::vector<double> nice_ticks(double begin, double end, int count) {
  VMR_CHECK(std::isfinite(end - begin) && begin < end && count >= 1,
            "nice_ticks: expected begin < end and count >= 1, got ", begin, ", ", end, ", ", count);
  const double rough = (end - begin) / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double ratio = rough / power;  // 1..10
  const double step = power * (ratio <= 1.0 ? 1 : ratio <= 2.0 ? 2 : ratio <= 5.0 ? 5 : 10);
  const double slack = 1e-9 * step;
  const double first = std::ceil((begin - slack) / step), last = std::floor((end + slack) / step);
  std::vector<double> ticks;
  // Beyond 2^53 steps from zero, neighbouring ticks are no longer told apart.
  if (std::abs(first) > 9e15 || std::abs(last) > 9e15) return {begin, end};
  for (double i = first; i <= last; ++i) ticks.push_back(i * step + 0.0);
  return ticks;
}

std::string escape_xml(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n') escaped += c;
    }
  }
  return escaped;
}

}  // namespace vmr::pipeline
