#include "fit_results.h"

#include <cstdio>

#include "text_column.h"

namespace vmr::apps {

void print_fits(const std::vector<pipeline::FitHit>& hits) {
  std::vector<std::string> titles;
  for (const auto& [hit, fit] : hits) titles.push_back(hit.metadata.value("title", hit.id));
  titles = text_column("track", titles, 60);
  std::printf("rank  %s  %6s  %9s  %7s  %9s  %7s  %6s\n", titles[0].c_str(), "score", "from",
              "speed", "cut-beat", "on beat", "energy");
  for (size_t rank = 0; rank < hits.size(); ++rank) {
    const auto& [hit, fit] = hits[rank];
    char error[32] = "-", share[32] = "-";
    if (fit.cut_error_median_ms) {
      std::snprintf(error, sizeof error, "%.0f ms", *fit.cut_error_median_ms);
      std::snprintf(share, sizeof share, "%.0f %%", 100 * fit.beats_hit);
    }
    std::printf("%4zu  %s  %6.1f  %7.2f s  %7.3f  %9s  %7s  %6.2f\n", rank + 1,
                titles[rank + 1].c_str(), hit.score, hit.offset_seconds, fit.stretch, error, share,
                fit.energy_correlation);
  }
  std::printf(
      "score: standard deviations above the best offset of an unrelated film (about 0: chance);\n"
      "cut-beat: median distance of a cut to its nearest beat; on beat: cuts within 40 ms of "
      "one\n");
}

nlohmann::json fit_document(const pipeline::FilmAnalysis& film, const pipeline::FitMusic& music,
                            const std::vector<pipeline::FitHit>& hits) {
  auto list = nlohmann::json::array();
  for (const auto& found : hits) list.push_back(found.hit);
  auto failures = nlohmann::json::array();
  for (const auto& failure : music.summary.failures) {
    failures.push_back({{"path", failure.id}, {"reason", failure.reason}});
  }
  return {{"film", film.path.string()},
          {"duration_seconds", film.duration_seconds},
          {"cuts", pipeline::film_rhythm(film).cuts.size()},
          {"gallery", music.tracks.size()},
          {"analysed_now", music.summary.extracted},
          {"hits", list},
          {"failures", failures}};
}

}  // namespace vmr::apps
