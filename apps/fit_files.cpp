#include "fit_files.h"

#include <iostream>

#include "editor_options.h"
#include "printable.h"
#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/media/probe.h"
#include "vmr/pipeline/fit_report.h"
#include "vmr/store/feature_store.h"

namespace vmr::apps {
namespace {

namespace fs = std::filesystem;

// What markers are counted in. Labels of Audacity are seconds, of any film.
void look_at_picture(FitFiles& files, const fs::path& film) {
  const auto video = media::probe(film).video;
  if (!video) throw MediaError(film.string() + ": has no video stream; give a film");
  files.first_frame_seconds = video->start_seconds;
  files.picture_seconds = video->duration_seconds;
  if (files.rate->count() > 0 || fs::path(files.markers).extension() == ".txt") return;
  try {
    files.marker_file.rate = pipeline::frame_rate_of(video->frame_rate);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(std::string(error.what()) + "; choose one with --fps");
  }
}

std::vector<double> seconds_of(const std::vector<retrieval::TimedEvent>& events, double begin = 0) {
  std::vector<double> seconds;
  for (const auto& event : events) seconds.push_back(event.seconds - begin);
  return seconds;
}

void write_markers(const FitFiles& files, const pipeline::FilmAnalysis& film,
                   const fs::path& store_folder, const pipeline::FitHit& best) {
  const auto track = pipeline::track_rhythm(*store::FeatureStore::open(store_folder), best.hit.id);
  VMR_CHECK(track, "the store has no beats of ", best.hit.id, "; run the command again");
  auto file = files.marker_file;
  file.title =
      film.path.filename().string() + " + " + best.hit.metadata.value("title", best.hit.id);
  // An editor's film begins with its first frame, ours with the first of picture and sound.
  const double begin = files.first_frame_seconds;
  const pipeline::MusicPlacement placement{best.fit.offset_seconds + best.fit.stretch * begin,
                                           best.fit.stretch, files.picture_seconds};
  pipeline::MarkerMoments moments{track->beats_seconds, track->down_beats_seconds,
                                  seconds_of(track->sections),
                                  seconds_of(pipeline::film_rhythm(film).cuts, begin)};
  if (best.music_ends_seconds) moments.end_seconds = track->duration_seconds;
  pipeline::write_markers(files.markers, pipeline::place_markers(placement, moments), placement,
                          file);
  std::cerr << "markers of " << printable(best.hit.metadata.value("title", best.hit.id)) << ": "
            << files.markers << "\n";
}

}  // namespace

void add_fit_files(CLI::App& app, const std::shared_ptr<FitFiles>& files) {
  app.add_option("--report", files->report,
                 "write an HTML page that shows and plays the film with its best tracks");
  app.add_option("--preview", files->previews,
                 "write the film with each hit's track under it into this folder");
  add_preview_loudness(app, files->preview_lufs);
  add_marker_options(app, files->markers, files->marker_file);
  app.get_option("--markers")
      ->description(
          "write beats, bars and sections of the best track, and the film's cuts, for\n"
          "editors: a name in .edl, .csv, .json or .txt (Audacity)");
  files->rate = app.get_option("--fps")->default_str("the film's");
}

void check_fit_files(FitFiles& files, const fs::path& film) {
  require_page("--report", files.report);
  require_writable("--markers", files.markers, {film});
  if (!files.markers.empty()) {
    look_at_picture(files, film);
    pipeline::validate_marker_file(files.markers, files.marker_file);
  }
  VMR_CHECK(
      files.previews.empty() || !fs::exists(files.previews) || fs::is_directory(files.previews),
      "fit: --preview: ", files.previews, " is a file; name a folder, each hit gets a film");
}

void write_fit_files(const FitFiles& files, const pipeline::FilmAnalysis& film,
                     const fs::path& store, const std::vector<pipeline::FitHit>& hits,
                     std::vector<ItemFailure>& failures, const RunControl& watch) {
  write_output(files.report, failures, [&] {
    pipeline::write_fit_report(files.report, film, store, hits, {.player_seconds = 120}, watch);
    if (interrupted()) return;
    end_progress();
    std::cerr << "report: " << files.report << "\n";
  });
  if (hits.empty() || interrupted()) return;
  write_output(files.markers, failures, [&] { write_markers(files, film, store, hits.front()); });
  if (!files.previews.empty()) write_fit_previews(files, film, hits, failures, watch);
}

}  // namespace vmr::apps
