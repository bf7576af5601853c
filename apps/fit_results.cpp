#include "fit_results.h"

#include <algorithm>
#include <cstdio>

#include "printable.h"
#include "text_column.h"

namespace vmr::apps {
namespace {

// "  *+": what the lines below the table explain.
std::string marks_of(const pipeline::FitHit& found) {
  std::string marks;
  if (!found.track_has_beats) marks += '*';
  if (!found.covers_film()) marks += '+';
  return marks.empty() ? marks : "  " + marks;
}

void print_notes(const pipeline::FilmAnalysis& film, const std::vector<pipeline::FitHit>& hits) {
  const auto any = [&](auto is) { return std::any_of(hits.begin(), hits.end(), is); };
  if (any([](const auto& found) { return !found.track_has_beats; })) {
    std::printf("* no beats heard in this track: ranked by energy and sections alone\n");
  }
  if (any([](const auto& found) { return !found.covers_film(); })) {
    std::printf("+ this track is shorter than the film: a part of the film has no music\n");
  }
  if (pipeline::film_rhythm(film).cuts.empty()) {
    std::printf("no cuts were found in the film: ranked by its motion alone\n");
  }
}

}  // namespace

void print_fits(const pipeline::FilmAnalysis& film, const std::vector<pipeline::FitHit>& hits) {
  std::vector<std::string> titles;
  for (const auto& found : hits) titles.push_back(found.hit.metadata.value("title", found.hit.id));
  titles = text_column("track", titles, 60);
  std::printf("rank  %s  %6s  %9s  %7s  %9s  %7s  %6s\n", titles[0].c_str(), "score", "from",
              "speed", "cut-beat", "on beat", "energy");
  for (size_t rank = 0; rank < hits.size(); ++rank) {
    const auto& hit = hits[rank].hit;
    const auto& fit = hits[rank].fit;
    char error[32] = "-", share[32] = "-";
    if (fit.cut_error_median_ms) {
      std::snprintf(error, sizeof error, "%.0f ms", *fit.cut_error_median_ms);
      std::snprintf(share, sizeof share, "%.0f %%", 100 * fit.beats_hit);
    }
    std::printf("%4zu  %s  %6.1f  %7.2f s  %7.3f  %9s  %7s  %6.2f%s\n", rank + 1,
                titles[rank + 1].c_str(), hit.score, hit.offset_seconds, fit.stretch, error, share,
                fit.energy_correlation, marks_of(hits[rank]).c_str());
  }
  std::printf(
      "score: standard deviations above the best offset of an unrelated film (about 0: chance);\n"
      "cut-beat: median distance of a cut to its nearest beat; on beat: cuts within 40 ms of "
      "one\n");
  print_notes(film, hits);
}

nlohmann::json fit_document(const pipeline::FilmAnalysis& film, const pipeline::FitMusic& music,
                            const std::vector<pipeline::FitHit>& hits) {
  auto list = nlohmann::json::array();
  for (const auto& found : hits) list.push_back(found.hit);
  auto failures = nlohmann::json::array();
  for (const auto& failure : music.summary.failures) {
    failures.push_back({{"path", utf8(failure.id)}, {"reason", utf8(failure.reason)}});
  }
  return {{"film", utf8(film.path.string())},
          {"duration_seconds", film.duration_seconds},
          {"cuts", pipeline::film_rhythm(film).cuts.size()},
          {"gallery", music.tracks.size()},
          {"analysed_now", music.summary.extracted},
          {"hits", list},
          {"failures", failures}};
}

}  // namespace vmr::apps
