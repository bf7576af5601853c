#include "vmr/pipeline/fit_report.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "core/file_io.h"
#include "pipeline/number_text.h"
#include "pipeline/report_parts.h"
#include "retrieval/film_events.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/svg_plot.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;

// Lanes of the alignment, in pixels from the top: motion, beats, energy.
constexpr double kWidth = 1000, kHeight = 196;
constexpr double kMotionTop = 16, kMotionBottom = 76;
constexpr double kBeatsTop = 80, kBeatsBottom = 108;
constexpr double kEnergyTop = 112, kEnergyBottom = 172;
constexpr double kMetSeconds = 0.04;  // a cut this near to a beat is drawn as met
constexpr int64_t kPoints = 500;

constexpr const char* kStyle = R"css(<style>
.fit { position: relative; } .fit svg { display: block; }
.fit .now { position: absolute; top: 0; bottom: 0; width: 2px; background: #c0392b; left: 0; display: none; }
video { width: 100%; max-height: 420px; background: #000; border-radius: 6px; }
button { font: inherit; padding: 4px 14px; margin: 6px 0 0; border-radius: 6px; border: 1px solid var(--line); cursor: pointer; }
</style>
)css";

// Film and sound keep step: the sound follows the film's clock, and is set anew when it strays.
constexpr const char* kScript = R"js(<script>
const film = document.querySelector('video');
let current = null;
function stop() {
  if (!current) return;
  current.audio.pause(); current.now.style.display = 'none';
  current.button.textContent = 'Play with the film'; current = null; film.pause();
}
function follow() {
  if (!current) return;
  const { audio, now, stretch, lead, seconds } = current;
  const wanted = film.currentTime * stretch + lead;
  if (wanted >= 0 && wanted < audio.duration && !film.paused) {
    if (audio.paused) { audio.currentTime = wanted; audio.play(); }
    if (Math.abs(audio.currentTime - wanted) > 0.06) audio.currentTime = wanted;
  } else if (!audio.paused) audio.pause();
  now.style.left = (100 * film.currentTime / seconds) + '%';
  if (film.ended) stop(); else requestAnimationFrame(follow);
}
document.querySelectorAll('.fit').forEach(hit => {
  const button = hit.querySelector('button'), audio = hit.querySelector('audio');
  if (!button) return;
  button.onclick = async () => {
    const same = current && current.button === button;
    stop();
    if (same) return;
    current = { audio, button, now: hit.querySelector('.now'), stretch: +hit.dataset.stretch,
                lead: +hit.dataset.lead, seconds: +hit.dataset.seconds };
    button.textContent = 'Stop'; current.now.style.display = 'block';
    audio.playbackRate = current.stretch; film.muted = true; film.currentTime = 0;
    await film.play(); follow();
  };
});
</script>
)js";

// A path in a URL: everything but letters, digits and a few marks as %XX.
std::string url_of(const fs::path& file, const fs::path& page) {
  std::error_code error;
  auto path = fs::relative(file, fs::absolute(page).parent_path(), error);
  if (error || path.empty()) path = fs::absolute(file);
  std::string url = path.is_absolute() ? "file://" : "";
  for (const char letter : path.string()) {
    const auto byte = static_cast<unsigned char>(letter);
    if (std::isalnum(byte) || std::string("-._~/").find(letter) != std::string::npos) {
      url += letter;
    } else {
      char text[4];
      std::snprintf(text, sizeof text, "%%%02X", unsigned(byte));
      url += text;
    }
  }
  return url;
}

std::string pixels(double value) { return number_text(value, 1); }

std::string line(double x, double top, double bottom, const std::string& style) {
  return "<line x1=\"" + pixels(x) + "\" x2=\"" + pixels(x) + "\" y1=\"" + pixels(top) +
         "\" y2=\"" + pixels(bottom) + "\" " + style + "/>\n";
}

// A curve as a filled shape between the lowest and highest of its values, by film time.
std::string area(const retrieval::SampledCurve& curve, double offset, double stretch,
                 double film_seconds, double top, double bottom, const std::string& colour) {
  std::vector<double> values(kPoints, 0), weights(kPoints, 0);
  for (size_t i = 0; i < curve.values.size(); ++i) {
    const double seconds = ((double(i) + 0.5) / curve.rate_hz - offset) / stretch;
    const auto point = int64_t(std::floor(seconds / film_seconds * kPoints));
    if (point < 0 || point >= kPoints) continue;
    values[size_t(point)] += double(curve.values[i]);
    weights[size_t(point)] += 1;
  }
  double low = INFINITY, high = -INFINITY;
  for (size_t i = 0; i < values.size(); ++i) {
    if (weights[i] == 0) continue;
    values[i] /= weights[i];
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
  }
  if (!(high > low)) return "";
  std::string path;
  double last = 0;
  for (int64_t i = 0; i < kPoints; ++i) {
    if (weights[size_t(i)] == 0) continue;
    const double x = (double(i) + 0.5) / kPoints * kWidth;
    const double y = bottom - (values[size_t(i)] - low) / (high - low) * (bottom - top);
    path += (path.empty() ? "M" + pixels(x) + " " + pixels(bottom) : std::string()) + "L" +
            pixels(x) + " " + pixels(y);
    last = x;
  }
  return "<path fill=\"" + colour + "\" d=\"" + path + "L" + pixels(last) + " " + pixels(bottom) +
         "Z\"/>\n";
}

double distance_to(const std::vector<double>& sorted, double seconds) {
  const auto after = std::lower_bound(sorted.begin(), sorted.end(), seconds);
  double distance = after == sorted.end() ? INFINITY : *after - seconds;
  if (after != sorted.begin()) distance = std::min(distance, seconds - *(after - 1));
  return distance;
}

// Motion above, beats between, energy below, all on the film's clock; cuts go through.
std::string alignment(const retrieval::FilmRhythm& film, const retrieval::TrackRhythm& track,
                      const retrieval::Synchronisation& fit) {
  const double seconds = film.duration_seconds;
  const auto place = [&](double heard) {
    return (heard - fit.offset_seconds) / fit.stretch / seconds * kWidth;
  };
  const auto inside = [](double x) { return x >= 0 && x <= kWidth; };
  std::string svg = "<svg viewBox=\"0 0 " + pixels(kWidth) + " " + pixels(kHeight) +
                    "\" font-family=\"sans-serif\" font-size=\"10\" fill=\"#555\">\n";
  svg += area(retrieval::detail::calm_motion(film), 0, 1, seconds, kMotionTop, kMotionBottom,
              "#7fb3d5");
  svg += area(track.energy, fit.offset_seconds, fit.stretch, seconds, kEnergyTop, kEnergyBottom,
              "#b7cfa5");
  for (const double beat : track.beats_seconds) {
    if (!inside(place(beat))) continue;
    const bool first = distance_to(track.down_beats_seconds, beat) < kMetSeconds;
    svg += line(place(beat), first ? kBeatsTop : kBeatsTop + 9, kBeatsBottom,
                first ? "stroke=\"#222\" stroke-width=\"1.6\"" : "stroke=\"#888\"");
  }
  for (const auto& section : track.sections) {
    if (!inside(place(section.seconds))) continue;
    svg += line(place(section.seconds), kEnergyTop, kEnergyBottom,
                "stroke=\"#6c3483\" stroke-width=\"2\" stroke-dasharray=\"4 3\"");
  }
  for (const auto& cut : film.cuts) {
    const double heard = fit.offset_seconds + fit.stretch * cut.seconds;
    const bool met = distance_to(track.beats_seconds, heard) <= kMetSeconds;
    svg += line(cut.seconds / seconds * kWidth, kMotionTop, met ? kBeatsBottom : kMotionBottom,
                met ? "stroke=\"#c0392b\" stroke-width=\"1.6\""
                    : "stroke=\"#c0392b\" stroke-opacity=\"0.45\" stroke-dasharray=\"2 2\"");
  }
  svg +=
      "<text x=\"2\" y=\"11\">motion and cuts (red, down to the beat they meet), "
      "beats, energy with changes of section (dashed)</text>\n";
  const double step = nice_ticks(0, seconds, 10).at(1) - nice_ticks(0, seconds, 10).at(0);
  for (double tick = 0; tick <= seconds; tick += step) {
    svg += "<text x=\"" + pixels(tick / seconds * kWidth) + "\" y=\"186\">" +
           number_text(tick, step < 1 ? 1 : 0) + " s</text>\n";
  }
  return svg + "</svg>\n";
}

std::string sentence(const retrieval::Synchronisation& fit) {
  std::string text = "from " + number_text(fit.offset_seconds, 2) + " s";
  if (fit.stretch != 1) text += " at " + number_text(fit.stretch, 3) + " of its speed";
  if (fit.cut_error_median_ms) {
    text += ", cuts " + number_text(*fit.cut_error_median_ms, 0) + " ms from a beat (median), " +
            number_text(100 * fit.beats_hit, 0) + " % within 40 ms";
  }
  return text + ", motion and energy correlate with " + number_text(fit.energy_correlation, 2) +
         "; an unrelated film's best offset reaches " + number_text(fit.null_level.mean, 1) +
         " ± " + number_text(fit.null_level.sd, 1) + ", this one " +
         number_text(fit.null_level.mean + fit.score, 1);
}

std::string player(const FitHit& found, double film_seconds, double most_seconds) {
  const double seconds = std::min(most_seconds, film_seconds * found.fit.stretch);
  try {
    const auto url =
        detail::sound_url(track_path(found.hit), std::max(0.0, found.fit.offset_seconds), seconds);
    return "<button type=\"button\">Play with the film</button>\n"
           "<audio controls preload=\"auto\" src=\"" +
           url + "\"></audio>\n";
  } catch (const MediaError& error) {
    return "<p class=\"gone\">no sound: " + escape_xml(error.what()) + "</p>\n";
  }
}

}  // namespace

void write_fit_report(const fs::path& out, const FilmAnalysis& film, const fs::path& store_folder,
                      const std::vector<FitHit>& hits, const ReportOptions& options,
                      const RunControl& control) {
  const auto store = store::FeatureStore::open(store_folder);
  const auto rhythm = film_rhythm(film);
  const double seconds = film.duration_seconds;
  std::string html = detail::page_head("Music for " + escape_xml(film.path.filename().string())) +
                     kStyle + "<p class=\"note\">" + number_text(seconds, 1) + " s, " +
                     std::to_string(rhythm.cuts.size()) + " cuts found, the best " +
                     std::to_string(hits.size()) +
                     " tracks by beats and energy</p>\n<video controls src=\"" +
                     url_of(film.path, out) + "\"></video>\n";
  html += detail::film_strip(film, std::max<int64_t>(1, options.key_frames));
  html += detail::flow_figure(film);
  html +=
      "<h2>Tracks, best first</h2>\n<p class=\"note\">A score counts standard deviations above "
      "what the best offset of an unrelated film reaches by chance: near 0 is chance.</p>\n";
  for (size_t i = 0; i < hits.size(); ++i) {
    const auto& found = hits[i];
    html += "<section class=\"hit fit\" data-stretch=\"" + number_text(found.fit.stretch, 6) +
            "\" data-lead=\"" + number_text(std::min(0.0, found.fit.offset_seconds), 3) +
            "\" data-seconds=\"" + number_text(seconds, 3) + "\">\n";
    auto shown = found.hit;
    shown.id = shown.metadata.value("path", shown.id);  // which says more than the hash of a file
    html += detail::describe_hit(shown, i + 1, 16);
    html += "<p class=\"meta\">" + sentence(found.fit) + "</p>\n";
    if (const auto track = track_rhythm(*store, found.hit.id)) {
      html += "<div style=\"position:relative\">" + alignment(rhythm, *track, found.fit) +
              "<div class=\"now\"></div></div>\n";
    }
    if (int64_t(i) < options.players) html += player(found, seconds, options.player_seconds);
    html += "</section>\n";
    control.progress({"report", int64_t(i) + 1, int64_t(hits.size()),
                      found.hit.metadata.value("title", found.hit.id)});
    if (control.stop.stop_requested()) return;  // an earlier page stays whole
  }
  vmr::detail::write_file_atomically(out, html + kScript + "</body></html>\n");
}

}  // namespace vmr::pipeline
