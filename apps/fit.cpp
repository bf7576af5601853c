// vmr fit: which tracks' beats and energy fit a film's cuts and motion, and from where.
#include "vmr/pipeline/fit.h"

#include <cstdio>
#include <future>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "backends.h"
#include "fit_files.h"
#include "fit_results.h"
#include "number_checks.h"
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
  if (options.music.empty()) return pipeline::analyse_stored_music(store, extract, watch);
  try {
    return pipeline::analyse_music({options.music.begin(), options.music.end()}, store, extract,
                                   watch);
  } catch (const StoreError& error) {
    if (!options.store.empty()) throw;
    throw StoreError(std::string(error.what()) + "; analysed music is kept in " + store.string() +
                     "; where it is damaged delete the folder, or name another with --store");
  }
}

struct Analysed {
  pipeline::FilmAnalysis film;
  pipeline::FitMusic music;
};

// Both at once: of music that is known already little is left to do, and of a film little that
// takes more than one core. A film that cannot be read ends the analysis of the music.
Analysed analyse(const Options& options, const fs::path& store, const RunControl& watch) {
  std::stop_source enough;
  const std::stop_callback link(watch.stop, [&] { enough.request_stop(); });
  auto film = std::async(std::launch::async, [&] {
    try {
      return pipeline::analyse_film_rhythm(options.film, enough.get_token(),
                                           thread_count(options.common),
                                           options.files->picture_ends());
    } catch (...) {
      enough.request_stop();
      throw;
    }
  });
  RunControl control = watch;
  control.stop = enough.get_token();
  try {
    auto music = find_music(options, store, control);
    return {film.get(), std::move(music)};
  } catch (...) {
    // Where the film ended the work, what it says.
    if (enough.stop_requested() && film.valid()) film.get();
    enough.request_stop();
    throw;
  }
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
  // Items are the unit of parallel work; each of them computes on one thread.
  Common one_thread = options.common;
  one_thread.threads = 1;
  use_threads(one_thread);
  const fs::path store = options.store.empty() ? music_cache() : fs::path(options.store);
  const auto [film, music] = analyse(options, store, watch);
  end_progress();
  warn(film.problems);
  for (const auto& item : music.summary.damaged) {
    std::cerr << "warning: " << item.id << ": " << item.reason << "\n";
  }
  std::vector<pipeline::FitHit> hits;
  if (!music.tracks.empty()) hits = pipeline::fit(film, store, music.tracks, query, watch);
  if (interrupted()) return kInterrupted;
  if (options.common.json) {
    print_json(fit_document(film, music, hits));
  } else if (!hits.empty()) {
    print_fits(film, hits);
  }
  std::cout.flush();
  std::fflush(stdout);
  auto failures = music.summary.failures;
  write_fit_files(*options.files, film, store, hits, failures, watch);
  if (hits.empty() && failures.empty()) {
    std::cerr << "vmr: no track to rank: all are too short\n";
    return kNothingDone;
  }
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
      ->check(whole_number(1));
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
