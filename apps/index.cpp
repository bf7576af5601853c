// vmr index: catalogues of music that films are matched against.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "backends.h"
#include "filter_check.h"
#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/matcher.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string index, run, store, split, filter, manifest;
  std::vector<std::string> files, ids;
};

nlohmann::json to_json(const retrieval::CatalogueStats& stats) {
  return {{"tracks", stats.tracks},
          {"generation", stats.generation},
          {"removed_rows", stats.removed_rows},
          {"file_bytes", stats.file_bytes},
          {"space", stats.space.id},
          {"dim", stats.space.dim},
          {"vectors", stats.space.vectors}};
}

int report(const pipeline::IndexSummary& summary, const Options& options) {
  end_progress();
  if (options.common.json) {
    auto document = to_json(summary.stats);
    document["added"] = summary.tracks;
    document["failed"] = summary.failures.size();
    print_json(document);
  } else {
    std::cout << counted(summary.tracks, "track") << " added; the catalogue has "
              << summary.stats.tracks << "\n";
  }
  return report_failures(summary.failures, summary.tracks);
}

int build(const Options& options) {
  pipeline::BuildIndexOptions build_options;
  build_options.split = options.split;
  build_options.device = options.common.device;
  return report(
      pipeline::build_index(options.run, options.store, options.index, build_options, control()),
      options);
}

int add(const Options& options) {
  std::vector<store::ManifestItem> tracks;
  if (!options.manifest.empty()) {
    const auto manifest = store::read_manifest(options.manifest, {.require_paths = true});
    for (const auto* item : manifest.of("music")) tracks.push_back(*item);
  }
  for (const auto& file : options.files) {
    store::ManifestItem item;
    item.path = file;
    item.id = item.path.stem().string();
    item.kind = "music";
    tracks.push_back(item);
  }
  VMR_CHECK(options.manifest.empty() || !tracks.empty(), options.manifest, " lists no music");
  VMR_CHECK(!tracks.empty(), "index add: give audio files or --manifest");
  Common one_thread = options.common;
  one_thread.threads = 1;
  use_threads(one_thread);
  const auto matcher = pipeline::Matcher::open(options.index, options.common.device);
  return report(matcher->add(tracks, options.common.threads, control(), aubio_backend()), options);
}

int remove(const Options& options) {
  const auto catalogue = retrieval::Catalogue::open(options.index);
  const auto before = catalogue->snapshot();
  std::vector<ItemFailure> missing;
  for (const auto& id : options.ids) {
    if (!before->find(id)) missing.push_back({id, "not in the catalogue"});
  }
  const auto removed = catalogue->remove(options.ids);
  const auto left = catalogue->stats().tracks;
  if (options.common.json) {
    print_json({{"removed", removed}, {"tracks", left}, {"not_found", missing.size()}});
  } else {
    std::cout << counted(removed, "track") << " removed; the catalogue has " << left << "\n";
  }
  return report_failures(missing, removed);
}

int list(const Options& options) {
  const auto filter = retrieval::Filter::parse(options.filter);
  const auto catalogue = retrieval::Catalogue::open(options.index);
  check_filter(*catalogue, filter);
  const auto rows = catalogue->list(filter);
  if (options.common.json) {
    auto document = nlohmann::json::array();
    for (const auto& row : rows) document.push_back(row.metadata);
    print_json(document);
    return kDone;
  }
  for (const auto& row : rows) {
    std::cout << row.id << "\t" << row.metadata.value("title", "") << "\t"
              << row.metadata.value("tags", nlohmann::json::array()).dump() << "\n";
  }
  return kDone;
}

int stats(const Options& options) {
  const auto catalogue = retrieval::Catalogue::open(options.index);
  auto document = to_json(catalogue->stats());
  document["attachments"] = catalogue->attachments();
  if (options.common.json) {
    print_json(document);
  } else {
    std::cout << document.dump(2) << "\n";
  }
  return kDone;
}

}  // namespace

Command add_index(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand("index", "build, change and list catalogues of music");
  app->require_subcommand(1);
  const auto subcommand = [&](const char* name, const char* text) {
    auto* sub = app->add_subcommand(name, text);
    add_common(*sub, options->common);
    sub->add_option("--index", options->index, "folder of the catalogue")->required();
    return sub;
  };
  auto* build_app = subcommand("build", "a new catalogue from a trained run and its store");
  build_app->add_option("--run", options->run, "run folder of `vmr train`")->required();
  build_app->add_option("--store", options->store, "feature store")->required();
  build_app->add_option("--split", options->split, "tracks of this split only");
  auto* add_app = subcommand("add", "analyse audio files and add them");
  add_app->add_option("files", options->files, "audio files; the id is the file's name");
  add_app->add_option("--manifest", options->manifest, "or the tracks of a manifest");
  auto* remove_app = subcommand("remove", "take tracks out");
  remove_app->add_option("ids", options->ids, "ids of tracks")->required();
  auto* list_app = subcommand("list", "tracks with their metadata");
  list_app->add_option("--filter", options->filter, "like genre=rock bpm:100..120")
      ->check(not_empty());
  auto* stats_app = subcommand("stats", "size, generation, embedding space");
  return {app, [=] {
            if (build_app->parsed()) return build(*options);
            if (add_app->parsed()) return add(*options);
            if (remove_app->parsed()) return remove(*options);
            if (list_app->parsed()) return list(*options);
            (void)stats_app;
            return stats(*options);
          }};
}

}  // namespace vmr::apps
