#include "demo_stages.h"

#include <chrono>
#include <iostream>
#include <map>

#include "recipe_files.h"
#include "vmr/core/error.h"
#include "vmr/media/film_writer.h"
#include "vmr/pipeline/matcher.h"
#include "vmr/pipeline/report.h"
#include "vmr/synth/library.h"

namespace vmr::apps {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

synth::LibraryOptions library_options(bool small, const Common& common) {
  synth::LibraryOptions library;
  library.seed = common.seed;
  library.threads = common.threads;
  library.tracks = small ? 80 : 330;
  library.films_per_track = 2;
  library.min_seconds = small ? 12 : 20;
  library.max_seconds = small ? 14 : 24;
  library.train_share = small ? 0.6 : 0.65;
  library.valid_share = 0.1;
  return library;
}

std::string synth_command(const std::string& folder, const synth::LibraryOptions& library) {
  return "vmr synth --out " + folder + " --tracks " + std::to_string(library.tracks) +
         " --films-per-track " + std::to_string(library.films_per_track) + " --min-seconds " +
         json(library.min_seconds).dump() + " --max-seconds " + json(library.max_seconds).dump() +
         " --train-share " + json(library.train_share).dump();
}

// Figures of training, which are not those of the test split in "evaluation".
json on_validation(const std::map<std::string, double>& figures) {
  json labelled = figures;
  labelled["split"] = "valid";
  return labelled;
}

}  // namespace

Demo::Demo(fs::path folder, bool small, Common common)
    : folder_(std::move(folder)),
      small_(small),
      common_(common),
      recipe_(find_recipe(small ? "demo_small" : "demo")),
      run_options_{{common.seed, common.device}, {}},
      control_(control()),
      summary_{{"small", small}, {"seed", common.seed}} {
  fs::create_directories(folder_);
  if (small) {
    summary_["note"] =
        "48 tracks teach no matching: the figures of train, evaluation and match show the format";
  }
}

void Demo::stage(const std::string& name, const std::string& command,
                 const std::function<void()>& body) {
  if (interrupted()) return;
  end_progress();
  std::cerr << "\n== " << name << "\n   " << command << "\n";
  const auto begun = std::chrono::steady_clock::now();
  body();
  end_progress();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  seconds_.push_back({{"stage", name}, {"seconds", took.count()}});
  total_seconds_ += took.count();
}

void Demo::synthesise() {
  const auto library = library_options(small_, common_);
  stage("synth", synth_command(in("library"), library), [&] {
    const auto made = synth::generate_library(folder_ / "library", library, control_);
    summary_["library"] = {{"tracks", library.tracks},
                           {"films_per_track", library.films_per_track},
                           {"difficulty", library.difficulty},
                           {"failed", made.failed.size()}};
  });
}

void Demo::extract() {
  const fs::path manifest = folder_ / "library" / "manifest.jsonl";
  const std::string command =
      "vmr extract " + manifest.string() + " --recipe " + recipe_.name + " --store " + in("store");
  stage("extract", command, [&] {
    manifest_ = store::read_manifest(manifest);
    Common one_thread = common_;
    one_thread.threads = 1;
    use_threads(one_thread);
    pipeline::ExtractOptions extract;
    extract.threads = common_.threads;
    const auto made =
        pipeline::extract(manifest_, folder_ / "store", recipe_.extract, extract, control_);
    for (const auto& failure : made.failures) {
      std::cerr << "failed: " << failure.id << ": " << failure.reason << "\n";
    }
    Common all_threads = common_;
    all_threads.threads = thread_count(common_);
    use_threads(all_threads);
  });
}

void Demo::pretrain(const std::string& modality) {
  const fs::path run = folder_ / ("pretrain_" + modality), store = folder_ / "store";
  const std::string command = "vmr pretrain " + modality + " --recipe " + recipe_.name +
                              " --store " + store.string() + " --out " + run.string() +
                              " && vmr embed --run " + run.string() + " --store " + store.string();
  stage("pretrain " + modality, command, [&] {
    const auto trained = pipeline::pretrain(recipe_, modality, store, run, run_options_, control_);
    summary_["pretrain_" + modality] = on_validation(trained.figures);
    if (trained.finished) pipeline::embed(run, store, run_options_, control_);
  });
}

void Demo::train() {
  const std::string command =
      "vmr train --recipe " + recipe_.name + " --store " + in("store") + " --out " + in("run");
  stage("train", command, [&] {
    const auto trained = pipeline::train_matching(recipe_, folder_ / "store", folder_ / "run",
                                                  run_options_, control_);
    summary_["train"] = on_validation(trained.figures);
  });
}

void Demo::evaluate() {
  const std::string command =
      "vmr evaluate --run " + in("run") + " --store " + in("store") + " --truth " + in("library");
  stage("evaluate", command, [&] {
    pipeline::EvaluateOptions evaluate;
    evaluate.seed = common_.seed;
    evaluate.truth = folder_ / "library";
    summary_["evaluation"] =
        pipeline::evaluate(folder_ / "run", folder_ / "store", evaluate, control_);
  });
}

void Demo::index() {
  const std::string command = "vmr index build --index " + in("index") + " --run " + in("run") +
                              " --store " + in("store") + " --split test";
  stage("index", command, [&] {
    fs::remove_all(folder_ / "index");
    pipeline::BuildIndexOptions build;
    build.split = "test";
    pipeline::build_index(folder_ / "run", folder_ / "store", folder_ / "index", build, control_);
  });
}

void Demo::match() {
  const auto films = manifest_.of("film", "test");
  VMR_CHECK(interrupted() || !films.empty(), "demo: the library has no test films");
  if (films.empty()) return;
  const auto& film = *films.front();
  const std::string command = "vmr match " + film.path.string() + " --index " + in("index") +
                              " --report " + in("report.html") + " --preview " + in("preview.mp4");
  stage("match", command, [&] {
    const auto matcher = pipeline::Matcher::open(folder_ / "index", common_.device);
    const auto analysis = matcher->analyse(film.path, control_.stop);
    const auto hits = matcher->match(analysis);
    VMR_ASSERT(!hits.empty(), "no hits in a catalogue of test tracks");
    pipeline::write_match_report(folder_ / "report.html", analysis, hits, {}, control_);
    media::PreviewOptions preview;
    preview.offset_seconds = hits.front().offset_seconds;
    preview.target_lufs = media::kPreviewLufs;
    media::write_preview(film.path, pipeline::track_path(hits.front()), folder_ / "preview.mp4",
                         preview);
    summary_["match"] = {{"film", film.id}, {"track", film.track}, {"hits", hits}};
  });
}

json Demo::summary() const {
  json all = summary_;
  all["stages"] = seconds_;
  all["seconds"] = total_seconds_;
  return all;
}

}  // namespace vmr::apps
