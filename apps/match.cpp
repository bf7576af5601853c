// vmr match: the tracks of a catalogue that fit a film.
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "backends.h"
#include "filter_check.h"
#include "match_files.h"
#include "match_results.h"
#include "number_checks.h"
#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/fit.h"
#include "vmr/pipeline/matcher.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string film, index;
  std::shared_ptr<MatchFiles> files = std::make_shared<MatchFiles>();
  pipeline::MatchOptions match;
  double sync_weight = 0;
  std::string store;  // of tracks analysed for the fit
};

constexpr int64_t kSyncShortlist = 50;  // hits that --sync-weight ranks anew, at least

int finish(const std::vector<retrieval::Hit>& hits) {
  if (!hits.empty()) return kDone;
  std::cerr << "no track of the catalogue matches the filter\n";
  return kNothingDone;
}

// What is wrong with the filter is said before the work.
std::unique_ptr<pipeline::Matcher> open_matcher(const Options& options) {
  const auto filter = retrieval::Filter::parse(options.match.filter);
  auto matcher = pipeline::Matcher::open(options.index, options.common.device);
  check_filter(matcher->catalogue(), filter);
  return matcher;
}

// Words alone: nothing to decode, and nothing to show a track beside.
int run_words(const Options& options) {
  VMR_CHECK(
      options.files->report.empty() && options.files->preview.empty() && options.sync_weight == 0,
      "match: --report, --preview and --sync-weight need a film");
  const auto matcher = open_matcher(options);
  auto query = options.match;
  query.threads = options.common.threads;
  const auto hits = matcher->match_text(query);
  if (options.common.json) {
    print_json(
        {{"text", query.text}, {"gallery", matcher->catalogue().stats().tracks}, {"hits", hits}});
  } else {
    print_matches(hits, options.sync_weight);
  }
  return finish(hits);
}

// By cuts and beats too, where a weight was given. Returns the tracks that could not be fitted.
std::vector<ItemFailure> rank_by_fit(const Options& options, std::vector<retrieval::Hit>& hits,
                                     const RunControl& watch) {
  if (options.sync_weight == 0) return {};
  pipeline::ExtractOptions extract;
  extract.threads = options.common.threads;
  extract.aubio = aubio_backend();
  const auto store = options.store.empty() ? music_cache() : std::filesystem::path(options.store);
  const auto rhythm = pipeline::analyse_film_rhythm(options.film, watch.stop);
  auto failures = pipeline::rank_with_fit(hits, rhythm, store, options.sync_weight, extract, watch);
  end_progress();
  hits.resize(std::min(hits.size(), size_t(options.match.top)));
  return failures;
}

int run(const Options& options) {
  if (options.film.empty()) return run_words(options);
  check_match_files(*options.files);
  const auto watch = control();
  const auto matcher = open_matcher(options);
  const auto film = matcher->analyse(options.film, watch.stop);
  auto query = options.match;
  query.threads = options.common.threads;
  if (options.sync_weight > 0) query.top = std::max(query.top, kSyncShortlist);
  auto hits = matcher->match(film, query);
  warn(film.problems);
  const auto unfitted = rank_by_fit(options, hits, watch);
  if (interrupted()) return kInterrupted;
  if (options.common.json) {
    print_json({{"film", options.film},
                {"duration_seconds", film.duration_seconds},
                {"gallery", matcher->catalogue().stats().tracks},
                {"hits", hits}});
  } else {
    print_matches(hits, options.sync_weight);
  }
  std::cout.flush();
  std::fflush(stdout);
  auto failures = write_match_files(*options.files, film, hits, watch);
  failures.insert(failures.begin(), unfitted.begin(), unfitted.end());
  const int code = finish(hits);
  return failures.empty() ? code : report_failures(failures, int64_t(hits.size()));
}

}  // namespace

Command add_match(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand("match", "rank a catalogue's tracks for a film");
  add_common(*app, options->common);
  app->add_option("film", options->film, "film file; may be left out where --text is given");
  app->add_option("--index", options->index, "catalogue of `vmr index build`")->required();
  app->add_option("--top", options->match.top, "number of hits")
      ->capture_default_str()
      ->check(whole_number(1));
  app->add_option("--filter", options->match.filter,
                  "metadata that hits must have: genre=rock bpm:100..120 license!=nc")
      ->check(not_empty());
  app->add_option("--text", options->match.text,
                  "words as a query, alone or beside the film: a tag, or anything where\n"
                  "the catalogue has a sentence encoder")
      ->check(not_empty());
  app->add_option("--text-weight", options->match.text_weight, "its share of the score, 0 to 1")
      ->capture_default_str()
      ->check(number(0, 1));
  app->add_option("--sync-weight", options->sync_weight,
                  "weight of beats on cuts and energy (see `vmr fit`), 0 = off: the best 50\n"
                  "are ranked anew, from their best offsets. Fits score 5 and more where beats\n"
                  "meet cuts, 0 by chance; try 0.05")
      ->capture_default_str()
      ->check(number(0, 1000));
  app->add_option("--store", options->store,
                  "where tracks analysed for --sync-weight are kept; default as of `vmr fit`");
  add_match_files(*app, options->files);
  return {app, [options] { return run(*options); }};
}

}  // namespace vmr::apps
