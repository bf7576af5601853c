// vmr synth: a small media library made from nothing.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "shared.h"
#include "vmr/synth/library.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string out;
  synth::LibraryOptions library;
};

int run(Options& options) {
  options.library.seed = options.common.seed;
  options.library.threads = options.common.threads;
  const auto summary = synth::generate_library(options.out, options.library, control());
  end_progress();
  if (options.common.json) {
    print_json({{"manifest", summary.manifest.string()},
                {"rendered", summary.rendered},
                {"reused", summary.reused},
                {"failed", summary.failed.size()},
                {"seconds", summary.seconds},
                {"media_seconds", summary.media_seconds}});
  } else {
    std::cout << counted(summary.rendered, "file") << " rendered, " << summary.reused
              << " were there already; the list is " << summary.manifest.string() << "\n";
  }
  return report_failures(summary.failed, summary.rendered + summary.reused);
}

}  // namespace

Command add_synth(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto& library = options->library;
  auto* app = root.add_subcommand(
      "synth", "make a media library: films with sound, separate music files, manifest, truth");
  add_common(*app, options->common);
  app->add_option("--out", options->out, "folder of the library; a second run goes on there")
      ->required();
  app->add_option("--tracks", library.tracks, "number of tracks")->capture_default_str();
  app->add_option("--films-per-track", library.films_per_track, "films that share a track")
      ->capture_default_str();
  app->add_option("--difficulty", library.difficulty, "noise between film and track, 0 to 1")
      ->capture_default_str();
  app->add_option("--min-seconds", library.min_seconds, "shortest film")->capture_default_str();
  app->add_option("--max-seconds", library.max_seconds, "longest film")->capture_default_str();
  app->add_option("--width", library.width, "pixels, even")->capture_default_str();
  app->add_option("--height", library.height, "pixels, even")->capture_default_str();
  app->add_option("--train-share", library.train_share, "share of the tracks")
      ->capture_default_str();
  app->add_option("--valid-share", library.valid_share, "share of the tracks; the rest is test")
      ->capture_default_str();
  return {app, [options] { return run(*options); }, /*resumes=*/true};
}

}  // namespace vmr::apps
