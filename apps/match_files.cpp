#include "match_files.h"

#include <iostream>

#include "editor_options.h"
#include "shared.h"
#include "vmr/media/film_writer.h"
#include "vmr/pipeline/report.h"

namespace vmr::apps {

void add_match_files(CLI::App& app, const std::shared_ptr<MatchFiles>& files) {
  app.add_option("--report", files->report, "write one self-contained HTML page");
  app.add_option("--preview", files->preview,
                 "write the film with the best track under it: a name in .mp4, .m4v, .mov or .mkv");
  add_preview_loudness(app, files->preview_lufs);
}

void check_match_files(const MatchFiles& files) {
  require_page("--report", files.report);
  require_writable("--preview", files.preview);
  if (!files.preview.empty()) media::validate_preview_path(files.preview);
}

std::vector<ItemFailure> write_match_files(const MatchFiles& files,
                                           const pipeline::FilmAnalysis& film,
                                           const std::vector<retrieval::Hit>& hits,
                                           const RunControl& watch) {
  std::vector<ItemFailure> failures;
  write_output(files.report, failures, [&] {
    pipeline::write_match_report(files.report, film, hits, {}, watch);
    end_progress();
    std::cerr << "report: " << files.report << "\n";
  });
  if (hits.empty()) return failures;
  write_output(files.preview, failures, [&] {
    media::PreviewOptions preview;
    preview.offset_seconds = hits.front().offset_seconds;
    preview.target_lufs = files.preview_lufs;
    const auto done = media::write_preview(film.path, pipeline::track_path(hits.front()),
                                           files.preview, preview, watch.stop);
    std::cerr << "preview with " << hits.front().id << loudness_text(done) << ": " << files.preview
              << "\n";
  });
  return failures;
}

}  // namespace vmr::apps
