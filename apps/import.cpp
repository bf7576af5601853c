// vmr import: data files of the published UT-CMVMR code, and features from elsewhere.
#include "import.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "failure_list.h"
#include "vmr/pipeline/reference_data.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  pipeline::ReferencePairs files;
  std::string out, statistics, store;
  double clip_seconds = 4;
};

// "3 in no list, " where there are lists.
std::string in_no_list(const Options& options, const pipeline::ImportedManifest& imported) {
  const auto& files = options.files;
  if (files.train.empty() && files.valid.empty() && files.test.empty()) return "";
  return std::to_string(imported.in_no_list) + " in no list, ";
}

void warn_of_shared_tracks(const std::vector<ItemFailure>& shared) {
  if (shared.empty()) return;
  constexpr size_t kShown = 3;
  std::string some;
  for (size_t i = 0; i < std::min(kShown, shared.size()); ++i) {
    some += (i == 0 ? "" : "; ") + shared[i].id + ": " + shared[i].reason;
  }
  const auto number = int64_t(shared.size());
  warn({counted(number, "track") + (number == 1 ? " is" : " are") +
        " both trained on and ranked, which flatters the evaluation (" + some +
        (shared.size() > kShown ? "; ..." : "") + "); give all films of a track one split"});
}

int pairs(const Options& options) {
  const auto imported = pipeline::import_manifest(options.files);
  const auto& manifest = imported.manifest;
  const auto films = manifest.of("film").size(), tracks = manifest.of("music").size();
  const bool none = manifest.items.empty();
  if (!none) store::write_manifest(manifest, options.out);
  if (options.common.json) {
    print_json({{"out", none ? nlohmann::json() : nlohmann::json(options.out)},
                {"films", films},
                {"tracks", tracks},
                {"in_no_list", imported.in_no_list},
                {"ignored", imported.ignored},
                {"shared_tracks", listed(imported.shared_tracks)},
                {"problems", listed(imported.problems)}});
  } else if (!none) {
    std::cout << films << " films and " << tracks << " tracks written to " << options.out << "; "
              << in_no_list(options, imported) << imported.ignored << " ignored, "
              << imported.problems.size() << " problems\n";
  }
  warn_of_shared_tracks(imported.shared_tracks);
  const int code = report_failures(imported.problems, int64_t(films + tracks));
  if (!none) return code;
  std::cerr << "vmr: " << options.files.pairs.string()
            << ": no item left: " << in_no_list(options, imported) << imported.ignored
            << " ignored, " << imported.problems.size() << " problems; nothing was written\n";
  return kNothingDone;
}

int statistics(const Options& options, bool rhythm) {
  const auto import = rhythm ? pipeline::import_rhythm : pipeline::import_clip_flow;
  const auto imported = import(options.statistics, options.store, options.clip_seconds);
  if (options.common.json) {
    print_json({{"items", imported.items},
                {"clips", imported.clips},
                {"clamped", imported.clamped},
                {"problems", listed(imported.problems)}});
  } else {
    std::cout << imported.clips << " clips of " << imported.items << " items imported, "
              << imported.clamped << " values beyond the last class, " << imported.problems.size()
              << " problems\n";
  }
  return report_failures(imported.problems, imported.items);
}

void add_pair_options(CLI::App& app, pipeline::ReferencePairs& files) {
  const auto path = [&](const char* name, std::filesystem::path& value, const char* text) {
    app.add_option(name, value, text);
  };
  path("--music-tags", files.music_tags, "JSON {track: [tag, seconds]}");
  path("--train", files.train, "ids of training films, one a line");
  path("--valid", files.valid, "ids of validation films");
  path("--test", files.test, "ids of test films");
  path("--gallery", files.gallery, "ids of the tracks to rank; they are of split test");
  path("--music-train", files.music_train, "ids of the tracks the sound encoder is trained on");
  path("--music-test", files.music_test, "ids of those it is validated on");
  path("--ignore", files.ignore, "ids or paths of items to leave out");
  path("--films", files.films, "folder of films or zip archives named by id, or list of paths");
  path("--music", files.music, "folder of songs named by id, or list of paths");
}

}  // namespace

Command add_import(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app =
      root.add_subcommand("import",
                          "data files of the published UT-CMVMR code, and features that other "
                          "programs computed");
  app->require_subcommand(1);
  auto* pairs_app =
      app->add_subcommand("pairs", "pairs, tags, durations and id lists as a manifest");
  pairs_app->add_option("pairs", options->files.pairs, "JSON {film: [track, tag, tag index]}")
      ->required();
  add_pair_options(*pairs_app, options->files);
  pairs_app->add_option("--out", options->out, "manifest (JSON Lines) to write")->required();
  add_footer(*pairs_app,
             "Frames in zip archives need no import: `vmr extract` takes an archive for a film.");
  auto* rhythm_app = app->add_subcommand(
      "rhythm", "statistics of beats, a clip a line, as the features rhythm_measures and rhythm");
  auto* flow_app = app->add_subcommand(
      "flow", "statistics of optical flow as the features clip_flow_measures and clip_flow");
  for (auto* sub : {rhythm_app, flow_app}) {
    sub->add_option("statistics", options->statistics, "text file")->required();
    sub->add_option("--store", options->store, "feature store; made when missing")->required();
    sub->add_option("--clip-seconds", options->clip_seconds, "length of a clip, s")
        ->capture_default_str();
  }
  for (auto* sub : {pairs_app, rhythm_app, flow_app}) {
    add_common(*sub, options->common);
  }
  const auto features = add_import_features(*app);
  return {app, [=] {
            if (features.app->parsed()) return features.run();
            if (pairs_app->parsed()) return pairs(*options);
            return statistics(*options, rhythm_app->parsed());
          }};
}

}  // namespace vmr::apps
