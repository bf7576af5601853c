#include "vmr/pipeline/fit_report.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "core/file_io.h"
#include "pipeline/alignment_figure.h"
#include "pipeline/number_text.h"
#include "pipeline/report_parts.h"
#include "pipeline/sound_peaks.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/svg_plot.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStyle = R"css(
.fit { position: relative; }
video { width: 100%; max-height: 420px; background: #000; border-radius: 6px; }
button { font: inherit; padding: 4px 14px; margin: 6px 0 0; border-radius: 6px; border: 1px solid var(--line); cursor: pointer; }
)css";

// Film and sound keep step: the sound follows the film's clock. It starts some hundredths of a
// second late, as players do, and catches up by a speed that is not heard; after a jump of the film
// it is set anew.
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
  const wanted = film.currentTime * stretch + lead, behind = wanted - audio.currentTime;
  if (film.paused || film.seeking || !(wanted >= 0 && wanted < audio.duration)) audio.pause();
  else if (audio.paused) { audio.currentTime = wanted; audio.play().catch(stop); }
  else if (Math.abs(behind) > 0.25) audio.currentTime = wanted;
  else {
    const catchUp = Math.abs(behind) < 0.008 ? 0 : Math.max(-0.05, Math.min(0.05, 2 * behind));
    if (Math.abs(audio.playbackRate - stretch * (1 + catchUp)) > 0.002) audio.playbackRate = stretch * (1 + catchUp);
  }
  now.style.left = (100 * film.currentTime / seconds) + '%';
  if (film.ended) stop(); else requestAnimationFrame(follow);
}
function play(hit, button, from) {
  stop();
  current = { audio: hit.querySelector('audio'), now: hit.querySelector('.now'), button,
              stretch: +hit.dataset.stretch, lead: +hit.dataset.lead, seconds: +hit.dataset.seconds };
  button.textContent = 'Stop'; current.now.style.display = 'block';
  current.audio.playbackRate = current.stretch; film.muted = true; film.currentTime = from;
  film.play().then(follow, stop);
}
document.querySelectorAll('.fit').forEach(hit => {
  const button = hit.querySelector('button');
  if (!button) return;
  button.onclick = () => current && current.button === button ? stop() : play(hit, button, 0);
  const figure = hit.querySelector('.align'), box = () => figure.getBoundingClientRect();
  figure.onclick = click =>
    play(hit, button, (click.clientX - box().left) / box().width * hit.dataset.seconds);
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

std::string sentence(const FitHit& found) {
  const auto& fit = found.fit;
  std::string text = detail::start_text(fit.offset_seconds);
  if (fit.stretch != 1) text += " at " + number_text(fit.stretch, 3) + " of its speed";
  if (fit.cut_error_median_ms) {
    text += ", cuts " + number_text(*fit.cut_error_median_ms, 0) + " ms from a beat (median), " +
            number_text(100 * fit.beats_hit, 0) + " % within 40 ms";
  }
  if (!found.track_has_beats) text += ", no beats heard: by energy and sections alone";
  return text + ", motion and energy correlate with " + number_text(fit.energy_correlation, 2) +
         "; an unrelated film's best offset reaches " + number_text(fit.null_level.mean, 1) +
         " ± " + number_text(fit.null_level.sd, 1) + ", this one " +
         number_text(fit.null_level.mean + fit.score, 1);
}

// Of a track that is shorter than the film.
std::string silence_note(const FitHit& found) {
  if (found.covers_film()) return "";
  std::string text = "<p class=\"gone\">The music does not cover the film";
  if (found.music_ends_seconds) {
    text += ": it ends at " + number_text(*found.music_ends_seconds, 2) + " s";
  }
  return text + ".</p>\n";
}

std::string player(const FitHit& found, double film_seconds, double most_seconds) {
  const double seconds = std::min(most_seconds, film_seconds * found.fit.stretch);
  const auto url =
      detail::sound_url(track_path(found.hit), std::max(0.0, found.fit.offset_seconds), seconds);
  return "<button type=\"button\">Play with the film</button>\n"
         "<audio controls preload=\"auto\" src=\"" +
         url + "\"></audio>\n";
}

// The track under the film, with a player where `player_seconds` > 0.
std::string figure_of(const FitHit& found, const retrieval::FilmRhythm& film,
                      const retrieval::TrackRhythm& track, double player_seconds) {
  detail::SoundPeaks peaks;
  std::string sound;
  try {
    const double step = found.fit.stretch * film.duration_seconds / double(detail::kPeakColumns);
    peaks = detail::sound_peaks(track_path(found.hit), found.fit.offset_seconds, step,
                                detail::kPeakColumns);
    if (player_seconds > 0) sound = player(found, film.duration_seconds, player_seconds);
  } catch (const MediaError& error) {
    sound = "<p class=\"gone\">no sound: " + escape_xml(error.what()) + "</p>\n";
  }
  return detail::alignment_figure(film, track, found.fit, peaks) + sound;
}

}  // namespace

void write_fit_report(const fs::path& out, const FilmAnalysis& film, const fs::path& store_folder,
                      const std::vector<FitHit>& hits, const ReportOptions& options,
                      const RunControl& control) {
  const auto store = store::FeatureStore::open(store_folder);
  const auto rhythm = film_rhythm(film);
  const double seconds = film.duration_seconds;
  std::string html =
      detail::page_head("Music for " + escape_xml(film.path.filename().string())) + "<style>" +
      kStyle + detail::kAlignmentStyle + "</style>\n" + "<p class=\"note\">" +
      number_text(seconds, 1) + " s, " + std::to_string(rhythm.cuts.size()) + " cuts found" +
      (rhythm.cuts.empty() ? " (so motion alone ranks)" : "") + ", the best " +
      std::to_string(hits.size()) + " tracks by beats and energy</p>\n<video controls src=\"" +
      url_of(film.path, out) +
      "\" onerror=\"this.nextElementSibling.hidden = false\"></video>\n"
      "<p class=\"gone\" hidden>The film cannot be played here: it was moved, or "
      "this browser does not know its coding.</p>\n";
  html += detail::film_strip(film, std::max<int64_t>(1, options.key_frames));
  html += detail::flow_figure(film);
  html +=
      "<h2>Tracks, best first</h2>\n<p class=\"note\">A score counts standard deviations above "
      "what the best offset of an unrelated film reaches by chance: near 0 is chance. Below it the "
      "track as it is heard under the film. Red: cuts, drawn down to the beat they meet within 40 "
      "ms, pale where they meet none. Tall beats begin bars. Dashed: changes of section. A click "
      "into the picture plays from there.</p>\n";
  for (size_t i = 0; i < hits.size(); ++i) {
    const auto& found = hits[i];
    html += "<section class=\"hit fit\" data-stretch=\"" + number_text(found.fit.stretch, 6) +
            "\" data-lead=\"" + number_text(std::min(0.0, found.fit.offset_seconds), 3) +
            "\" data-seconds=\"" + number_text(seconds, 3) + "\">\n";
    auto shown = found.hit;
    shown.id = shown.metadata.value("path", shown.id);  // which says more than the hash of a file
    html += detail::describe_hit(shown, i + 1, 16);
    html += "<p class=\"meta\">" + sentence(found) + "</p>\n" + silence_note(found);
    if (const auto track = track_rhythm(*store, found.hit.id)) {
      html += figure_of(found, rhythm, *track,
                        int64_t(i) < options.players ? options.player_seconds : 0);
    }
    html += "</section>\n";
    control.progress({"report", int64_t(i) + 1, int64_t(hits.size()),
                      found.hit.metadata.value("title", found.hit.id)});
    if (control.stop.stop_requested()) return;  // an earlier page stays whole
  }
  vmr::detail::write_file_atomically(out, html + kScript + "</body></html>\n");
}

}  // namespace vmr::pipeline
