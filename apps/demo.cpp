// vmr demo: the whole way from nothing to ranked music for a film the model has never seen, stage
// by stage, each with the command that does the same. Running it again reuses what is there.
#include <chrono>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "demo_summary.h"
#include "recipe_files.h"
#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/media/film_writer.h"
#include "vmr/pipeline/matcher.h"
#include "vmr/pipeline/report.h"
#include "vmr/pipeline/runs.h"
#include "vmr/synth/library.h"

namespace vmr::apps {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Options {
  Common common;
  std::string out = "demo", check;
  bool small = false;
};

// Runs the stages, times them, and stops between them when the user asks.
class Stages {
 public:
  template <typename Body>
  void run(const std::string& name, const std::string& command, const Body& body) {
    if (interrupted()) return;
    end_progress();
    std::cerr << "\n== " << name << "\n   " << command << "\n";
    const auto begun = std::chrono::steady_clock::now();
    body();
    end_progress();
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    seconds_.push_back({{"stage", name}, {"seconds", took}});
    total_ += took;
  }
  json seconds() const { return seconds_; }
  double total() const { return total_; }

 private:
  json seconds_ = json::array();
  double total_ = 0;
};

synth::LibraryOptions library_options(const Options& options) {
  synth::LibraryOptions library;
  library.seed = options.common.seed;
  library.threads = options.common.threads;
  library.tracks = options.small ? 80 : 330;
  library.films_per_track = 2;
  library.min_seconds = options.small ? 12 : 20;
  library.max_seconds = options.small ? 14 : 24;
  library.train_share = options.small ? 0.6 : 0.65;
  library.valid_share = 0.1;
  return library;
}

// Figures of training, which are not those of the test split in "evaluation".
json on_validation(const std::map<std::string, double>& figures) {
  json labelled = figures;
  labelled["split"] = "valid";
  return labelled;
}

int run_demo(const Options& options) {
  const fs::path out = options.out;
  const auto recipe = find_recipe(options.small ? "demo_small" : "demo");
  const auto library = library_options(options);
  const pipeline::RunOptions run_options{options.common.seed, options.common.device};
  const auto watch = control();
  const std::string o = out.string();
  fs::create_directories(out);
  Stages stages;
  json summary = {{"small", options.small}, {"seed", options.common.seed}};
  if (options.small) {
    summary["note"] =
        "48 tracks teach no matching: the figures of train, evaluation and match show the format";
  }
  stages.run("synth",
             "vmr synth --out " + o + "/library --tracks " + std::to_string(library.tracks) +
                 " --films-per-track " + std::to_string(library.films_per_track) +
                 " --min-seconds " + json(library.min_seconds).dump() + " --max-seconds " +
                 json(library.max_seconds).dump() + " --train-share " +
                 json(library.train_share).dump(),
             [&] {
               const auto made = synth::generate_library(out / "library", library, watch);
               summary["library"] = {{"tracks", library.tracks},
                                     {"films_per_track", library.films_per_track},
                                     {"difficulty", library.difficulty},
                                     {"failed", made.failed.size()}};
             });
  if (interrupted()) return kInterrupted;
  const auto manifest = store::read_manifest(out / "library" / "manifest.jsonl");
  stages.run("extract",
             "vmr extract " + o + "/library/manifest.jsonl --recipe " + recipe.name + " --store " +
                 o + "/store",
             [&] {
               Common one_thread = options.common;
               one_thread.threads = 1;
               use_threads(one_thread);
               pipeline::ExtractOptions extract;
               extract.threads = options.common.threads;
               const auto made =
                   pipeline::extract(manifest, out / "store", recipe.extract, extract, watch);
               for (const auto& failure : made.failures) {
                 std::cerr << "failed: " << failure.id << ": " << failure.reason << "\n";
               }
               Common all_threads = options.common;
               all_threads.threads = thread_count(options.common);
               use_threads(all_threads);
             });
  for (const std::string modality : {"audio", "video"}) {
    const auto run = out / ("pretrain_" + modality);
    stages.run("pretrain " + modality,
               "vmr pretrain " + modality + " --recipe " + recipe.name + " --store " + o +
                   "/store --out " + run.string() + " && vmr embed --run " + run.string() +
                   " --store " + o + "/store",
               [&] {
                 const auto trained =
                     pipeline::pretrain(recipe, modality, out / "store", run, run_options, watch);
                 summary["pretrain_" + modality] = on_validation(trained.figures);
                 if (trained.finished) pipeline::embed(run, out / "store", run_options, watch);
               });
  }
  stages.run("train",
             "vmr train --recipe " + recipe.name + " --store " + o + "/store --out " + o + "/run",
             [&] {
               summary["train"] = on_validation(
                   pipeline::train_matching(recipe, out / "store", out / "run", run_options, watch)
                       .figures);
             });
  stages.run(
      "evaluate",
      "vmr evaluate --run " + o + "/run --store " + o + "/store --truth " + o + "/library", [&] {
        pipeline::EvaluateOptions evaluate;
        evaluate.seed = options.common.seed;
        evaluate.truth = out / "library";
        summary["evaluation"] = pipeline::evaluate(out / "run", out / "store", evaluate, watch);
      });
  stages.run("index",
             "vmr index build --index " + o + "/index --run " + o + "/run --store " + o +
                 "/store --split test",
             [&] {
               fs::remove_all(out / "index");
               pipeline::BuildIndexOptions build;
               build.split = "test";
               pipeline::build_index(out / "run", out / "store", out / "index", build, watch);
             });
  const auto films = manifest.of("film", "test");
  VMR_CHECK(!films.empty(), "demo: the library has no test films");
  const auto& film = *films.front();
  stages.run("match",
             "vmr match " + film.path.string() + " --index " + o + "/index --report " + o +
                 "/report.html --preview " + o + "/preview.mp4",
             [&] {
               const auto matcher = pipeline::Matcher::open(out / "index", options.common.device);
               const auto analysis = matcher->analyse(film.path, watch.stop);
               const auto hits = matcher->match(analysis);
               VMR_ASSERT(!hits.empty(), "no hits in a catalogue of test tracks");
               pipeline::write_match_report(out / "report.html", analysis, hits, {}, watch);
               media::PreviewOptions preview;
               preview.offset_seconds = hits.front().offset_seconds;
               preview.target_lufs = media::kPreviewLufs;
               media::write_preview(film.path, pipeline::track_path(hits.front()),
                                    out / "preview.mp4", preview);
               summary["match"] = {{"film", film.id}, {"track", film.track}, {"hits", hits}};
             });
  if (interrupted()) return kInterrupted;
  summary["stages"] = stages.seconds();
  summary["seconds"] = stages.total();
  write_demo_summary(out / "summary.json", summary);
  if (options.common.json) {
    print_json(summary);
  } else {
    print_demo_summary(summary, out);
  }
  return kDone;
}

}  // namespace

Command add_demo(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand(
      "demo", "everything from nothing: library, features, training, evaluation, a match");
  add_common(*app, options->common);
  app->add_option("--out", options->out, "folder")->capture_default_str();
  app->add_flag("--small", options->small,
                "two minutes instead of fifteen; too little to learn matching from");
  app->add_option("--check", options->check, "only check the summary of a finished demo");
  return {app,
          [options] {
            return options->check.empty() ? run_demo(*options) : check_demo(options->check);
          },
          /*resumes=*/true};
}

}  // namespace vmr::apps
