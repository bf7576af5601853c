#include "pipeline/alignment_figure.h"

#include <algorithm>
#include <cmath>

#include "pipeline/number_text.h"
#include "retrieval/film_events.h"
#include "vmr/pipeline/svg_plot.h"

namespace vmr::pipeline::detail {

const char* const kAlignmentStyle = R"css(
.align { position: relative; margin: 8px 0 0; cursor: pointer; }
.align svg { display: block; width: 100%; }
.align svg * { vector-effect: non-scaling-stroke; }
.align .lane { position: absolute; left: 4px; padding: 0 3px; font-size: 11px; line-height: 14px;
  color: #333; background: #fffb; border-radius: 3px; }
.align .now { position: absolute; top: 0; height: 236px; width: 2px; background: #c0392b; left: 0; display: none; }
.ticks { position: relative; height: 18px; font-size: 11px; opacity: .75; }
.ticks span { position: absolute; white-space: nowrap; }
.within { position: relative; height: 10px; margin: 8px 0 2px; background: var(--soft); border-radius: 5px; }
.within i { position: absolute; top: 0; bottom: 0; background: #999; border-radius: 5px; }
.within b { position: absolute; top: 0; bottom: 0; min-width: 3px; background: var(--accent); border-radius: 5px; }
@media (max-width: 600px) { .ticks span:nth-child(even) { display: none; } }
)css";

namespace {

struct Lane {
  double top, bottom;
  const char* name;
};
constexpr Lane kMotion{4, 72, "motion and cuts"}, kBeats{76, 104, "beats"},
    kSound{108, 180, "sound"}, kEnergy{184, 236, "energy"};
constexpr double kWidth = double(kPeakColumns), kHeight = 236;
constexpr int64_t kPoints = 500;      // of a curve
constexpr double kMetSeconds = 0.04;  // a cut this near to a beat is drawn as met

std::string pixels(double value) { return number_text(value, 1); }

std::string percent(double share) { return number_text(100 * share, 2) + "%"; }

std::string line(double x, double top, double bottom, const std::string& style) {
  return "<line x1=\"" + pixels(x) + "\" x2=\"" + pixels(x) + "\" y1=\"" + pixels(top) +
         "\" y2=\"" + pixels(bottom) + "\" " + style + "/>\n";
}

// Means of a curve over kPoints stretches of the film; NaN where it has no values.
std::vector<double> by_film_time(const retrieval::SampledCurve& curve, double offset,
                                 double stretch, double film_seconds) {
  std::vector<double> sums(kPoints, 0), counts(kPoints, 0);
  for (size_t i = 0; i < curve.values.size(); ++i) {
    const double seconds = ((double(i) + 0.5) / curve.rate_hz - offset) / stretch;
    const auto point = int64_t(std::floor(seconds / film_seconds * kPoints));
    if (point < 0 || point >= kPoints) continue;
    sums[size_t(point)] += double(curve.values[i]);
    counts[size_t(point)] += 1;
  }
  for (size_t i = 0; i < sums.size(); ++i) sums[i] = counts[i] > 0 ? sums[i] / counts[i] : NAN;
  return sums;
}

// A filled shape between the lowest and highest of the values.
std::string area(const std::vector<double>& values, const Lane& lane, const std::string& colour) {
  double low = INFINITY, high = -INFINITY;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (!(high > low)) return "";
  std::string path;
  double last = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) continue;
    const double x = (double(i) + 0.5) / kPoints * kWidth;
    const double y = lane.bottom - (values[i] - low) / (high - low) * (lane.bottom - lane.top);
    if (path.empty()) path = "M" + pixels(x) + " " + pixels(lane.bottom);
    path += "L" + pixels(x) + " " + pixels(y);
    last = x;
  }
  return "<path fill=\"" + colour + "\" d=\"" + path + "L" + pixels(last) + " " +
         pixels(lane.bottom) + "Z\"/>\n";
}

// Tenths of a pixel as the shortest number that follows a letter of a path: "3.4", "-12".
std::string step_text(int64_t tenths) {
  std::string text = (tenths < 0 ? "-" : "") + std::to_string(std::abs(tenths) / 10);
  if (tenths % 10 != 0) text += "." + std::to_string(std::abs(tenths) % 10);
  return text;
}

// The sound's outline: along the highest samples, back along the lowest, written as steps: some
// fifteen bytes a column.
std::string outline(const SoundPeaks& peaks) {
  float loudest = 0;
  for (size_t i = 0; i < peaks.low.size(); ++i) {
    if (std::isnan(peaks.low[i])) continue;
    loudest = std::max({loudest, -peaks.low[i], peaks.high[i]});
  }
  const double middle = (kSound.top + kSound.bottom) / 2;
  const double scale = loudest > 0 ? (kSound.bottom - kSound.top) / 2 / double(loudest) : 0;
  const auto tenths = [&](float value) {
    return std::llround(10 * (middle - scale * double(value)));
  };
  std::string path;
  for (size_t begin = 0; begin < peaks.low.size();) {
    size_t end = begin;
    while (end < peaks.low.size() && !std::isnan(peaks.low[end])) ++end;
    if (end > begin) {
      auto at = tenths(peaks.high[begin]);
      path += "M" + std::to_string(begin) + " " + step_text(at) + "h1";
      const auto to = [&](float value, const char* along) {
        if (tenths(value) != at) path += "v" + step_text(tenths(value) - at);
        path += along;
        at = tenths(value);
      };
      for (size_t i = begin + 1; i < end; ++i) to(peaks.high[i], "h1");
      for (size_t i = end; i-- > begin;) to(peaks.low[i], "h-1");
      path += "z";
    }
    begin = end + 1;
  }
  if (path.empty()) return "";
  return "<path class=\"sound\" fill=\"#5d6d7e\" stroke=\"#5d6d7e\" stroke-width=\"0.6\" d=\"" +
         path + "\"/>\n";
}

double distance_to(const std::vector<double>& sorted, double seconds) {
  const auto after = std::lower_bound(sorted.begin(), sorted.end(), seconds);
  double distance = after == sorted.end() ? INFINITY : *after - seconds;
  if (after != sorted.begin()) distance = std::min(distance, seconds - *(after - 1));
  return distance;
}

std::string lanes(const retrieval::FilmRhythm& film, const retrieval::TrackRhythm& track,
                  const retrieval::Synchronisation& fit, const SoundPeaks& peaks) {
  const double seconds = film.duration_seconds;
  const auto place = [&](double heard) {
    return (heard - fit.offset_seconds) / fit.stretch / seconds * kWidth;
  };
  const auto inside = [](double x) { return x >= 0 && x <= kWidth; };
  std::string svg =
      area(by_film_time(retrieval::detail::calm_motion(film), 0, 1, seconds), kMotion, "#7fb3d5");
  svg += outline(peaks);
  svg += area(by_film_time(track.energy, fit.offset_seconds, fit.stretch, seconds), kEnergy,
              "#b7cfa5");
  for (const double beat : track.beats_seconds) {
    if (!inside(place(beat))) continue;
    const bool first = distance_to(track.down_beats_seconds, beat) < kMetSeconds;
    svg += line(place(beat), first ? kBeats.top : kBeats.top + 10, kBeats.bottom,
                first ? "stroke=\"#222\" stroke-width=\"1.6\"" : "stroke=\"#888\"");
  }
  for (const auto& section : track.sections) {
    if (!inside(place(section.seconds))) continue;
    svg += line(place(section.seconds), kSound.top, kEnergy.bottom,
                "stroke=\"#8e44ad\" stroke-width=\"2\" stroke-dasharray=\"4 3\"");
  }
  for (const auto& cut : film.cuts) {
    const double heard = fit.offset_seconds + fit.stretch * cut.seconds;
    const bool met = distance_to(track.beats_seconds, heard) <= kMetSeconds;
    svg += line(cut.seconds / seconds * kWidth, kMotion.top, met ? kBeats.bottom : kMotion.bottom,
                met ? "stroke=\"#c0392b\" stroke-width=\"1.6\""
                    : "stroke=\"#c0392b\" stroke-opacity=\"0.6\" stroke-dasharray=\"2 2\"");
  }
  return svg;
}

// The part that is heard within the whole track; where the film is the longer one, the other way
// round.
std::string within(const retrieval::FilmRhythm& film, const retrieval::TrackRhythm& track,
                   const retrieval::Synchronisation& fit) {
  const double film_end = fit.offset_seconds + fit.stretch * film.duration_seconds;
  const double begin = std::min(0.0, fit.offset_seconds);
  const double span = std::max(track.duration_seconds, film_end) - begin;
  const auto bar = [&](const char* name, double from, double to) {
    return std::string("<") + name + " style=\"left:" + percent((from - begin) / span) +
           ";width:" + percent((to - from) / span) + "\"></" + name + ">";
  };
  const auto whole = bar("i", 0, track.duration_seconds);
  const auto heard = bar("b", fit.offset_seconds, film_end);
  const bool film_longer = fit.offset_seconds < 0;
  return "<div class=\"within\" title=\"the film (blue) and the track (grey)\">" +
         (film_longer ? heard + whole : whole + heard) + "</div>\n";
}

std::string ticks(double seconds) {
  const auto list = nice_ticks(0, seconds, 10);
  const int digits = list.size() > 1 && list[1] - list[0] < 1 ? 1 : 0;
  std::string html = "<div class=\"ticks\">";
  for (const double tick : list) {
    if (tick > 0.97 * seconds) continue;  // its number would pass the edge
    html += "<span style=\"left:" + percent(tick / seconds) + "\">" + number_text(tick, digits) +
            " s</span>";
  }
  return html + "</div>\n";
}

}  // namespace

std::string alignment_figure(const retrieval::FilmRhythm& film, const retrieval::TrackRhythm& track,
                             const retrieval::Synchronisation& fit, const SoundPeaks& peaks) {
  std::string html = within(film, track, fit) +
                     "<div class=\"align\">\n<svg preserveAspectRatio=\"none\" viewBox=\"0 0 " +
                     pixels(kWidth) + " " + pixels(kHeight) +
                     "\" style=\"height:" + pixels(kHeight) + "px\">\n" +
                     lanes(film, track, fit, peaks) + "</svg>\n";
  for (const auto& lane : {kMotion, kBeats, kSound, kEnergy}) {
    html +=
        "<span class=\"lane\" style=\"top:" + pixels(lane.top) + "px\">" + lane.name + "</span>";
  }
  return html + "<div class=\"now\"></div>" + ticks(film.duration_seconds) + "</div>\n";
}

}  // namespace vmr::pipeline::detail
