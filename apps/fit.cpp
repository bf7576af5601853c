// vmr fit: which tracks' beats and energy fit a film's cuts and motion, and from where.
#include "vmr/pipeline/fit.h"

#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "backends.h"
#include "fit_files.h"
#include "shared.h"
#include "vmr/core/error.h"

namespace vmr::apps {
namespace {

namespace fs = std::filesystem;

struct Options {
  Common common;
  std::string film, store, stretch;
  std::shared_ptr<FitFiles> files = std::make_shared<FitFiles>();
  std::vector<std::string> music;
  pipeline::FitOptions fit;
};

void read_stretch(const std::string& text, retrieval::SynchroniseOptions& options) {
  if (text.empty()) return;
  char rest = 0;
  VMR_CHECK(std::sscanf(text.c_str(), "%lf:%lf%c", &options.min_stretch, &options.max_stretch,
                        &rest) == 2,
            "fit: --stretch: expected LO:HI like 0.95:1.05, got ", text);
}

pipeline::FitMusic find_music(const Options& options, const fs::path& store,
                              const RunControl& watch) {
  pipeline::ExtractOptions extract;
  extract.threads = options.common.threads;
  extract.aubio = aubio_backend();
  // Items are the unit of parallel work; each of them computes on one thread.
  Common one_thread = options.common;
  one_thread.threads = 1;
  use_threads(one_thread);
  if (options.music.empty()) return pipeline::analyse_stored_music(store, extract, watch);
  return pipeline::analyse_music({options.music.begin(), options.music.end()}, store, extract,
                                 watch);
}

void print_table(const std::vector<pipeline::FitHit>& hits) {
  std::printf("%4s  %-32s  %6s  %9s  %7s  %9s  %7s  %6s\n", "rank", "track", "score", "from",
              "speed", "cut-beat", "on beat", "energy");
  for (size_t rank = 0; rank < hits.size(); ++rank) {
    const auto& [hit, fit] = hits[rank];
    char error[32] = "-", share[32] = "-";
    if (fit.cut_error_median_ms) {
      std::snprintf(error, sizeof error, "%.0f ms", *fit.cut_error_median_ms);
      std::snprintf(share, sizeof share, "%.0f %%", 100 * fit.beats_hit);
    }
    std::printf("%4zu  %-32.32s  %6.1f  %7.2f s  %7.3f  %9s  %7s  %6.2f\n", rank + 1,
                hit.metadata.value("title", hit.id).c_str(), hit.score, hit.offset_seconds,
                fit.stretch, error, share, fit.energy_correlation);
  }
  std::printf(
      "score: standard deviations above the best offset of an unrelated film (about 0: chance);\n"
      "cut-beat: median distance of a cut to its nearest beat; on beat: cuts within 40 ms of "
      "one\n");
}

nlohmann::json to_json(const Options& options, const pipeline::FilmAnalysis& film,
                       const pipeline::FitMusic& music, const std::vector<pipeline::FitHit>& hits) {
  auto list = nlohmann::json::array();
  for (const auto& found : hits) list.push_back(found.hit);
  auto failures = nlohmann::json::array();
  for (const auto& failure : music.summary.failures) {
    failures.push_back({{"path", failure.id}, {"reason", failure.reason}});
  }
  return {{"film", options.film},
          {"duration_seconds", film.duration_seconds},
          {"cuts", pipeline::film_rhythm(film).cuts.size()},
          {"gallery", music.tracks.size()},
          {"analysed_now", music.summary.extracted},
          {"hits", list},
          {"failures", failures}};
}

int run(const Options& options) {
  auto query = options.fit;
  query.threads = options.common.threads;
  read_stretch(options.stretch, query.synchronise);
  retrieval::validate(query.synchronise);
  check_fit_files(*options.files, options.film);
  VMR_CHECK(!options.music.empty() || !options.store.empty(),
            "fit: give --music FOLDER or files, or --store with a store of analysed music");
  const auto watch = control();
  const auto film = pipeline::analyse_film_rhythm(options.film, watch.stop);
  warn(film.problems);
  const fs::path store = options.store.empty() ? music_cache() : fs::path(options.store);
  const auto music = find_music(options, store, watch);
  end_progress();
  for (const auto& item : music.summary.damaged) {
    std::cerr << "warning: " << item.id << ": " << item.reason << "\n";
  }
  std::vector<pipeline::FitHit> hits;
  if (!music.tracks.empty()) hits = pipeline::fit(film, store, music.tracks, query, watch);
  if (interrupted()) return kInterrupted;
  if (options.common.json) {
    print_json(to_json(options, film, music, hits));
  } else if (!hits.empty()) {
    print_table(hits);
  }
  std::cout.flush();
  std::fflush(stdout);
  auto failures = music.summary.failures;
  write_fit_files(*options.files, film, store, hits, failures, watch);
  return report_failures(failures, int64_t(hits.size()));
}

}  // namespace

Command add_fit(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand(
      "fit", "rank your music for a film by beats on cuts and energy; nothing is trained");
  add_common(*app, options->common);
  app->add_option("film", options->film, "film file")->required();
  app->add_option("--music", options->music,
                  "sound files, or folders with sound files in them and below")
      ->check(CLI::ExistingPath);
  app->add_option("--store", options->store,
                  "where analysed music is kept, made when missing; without --music its tracks\n"
                  "are fitted. Default: a folder vmr/music in the user's cache");
  app->add_option("--top", options->fit.top, "number of hits")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40));
  app->add_option("--stretch", options->stretch,
                  "allow the track to be played at LO:HI of its speed, like 0.95:1.05;\n"
                  "0.5 to 2, 1 lies between. Without it the speed stays");
  add_fit_files(*app, options->files);
  add_footer(*app,
             "Offsets are seconds of the track at the film's first frame. A track shorter than\n"
             "the film lies within it: a negative offset is silence before the track.\n"
             "Music that was analysed is not decoded again, wherever the file lies.");
  return {app, [options] { return run(*options); }, /*resumes=*/true};
}

}  // namespace vmr::apps
