// A catalogue made of a run and the store it was trained on.
#include <map>

#include "pipeline/index_space.h"
#include "pipeline/run_inputs.h"
#include "pipeline/tag_texts.h"
#include "pipeline/track_metadata.h"
#include "vmr/core/error.h"
#include "vmr/data/pair_dataset.h"
#include "vmr/pipeline/matcher.h"
#include "vmr/pipeline/runs.h"
#include "vmr/store/npy.h"
#include "vmr/train/embed_dataset.h"
#include "vmr/train/matching_task.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;

// Clip encoders kept in the store that made the features the model reads.
std::vector<fs::path> encoder_folders(const fs::path& store_folder,
                                      const model::ModelInputs& inputs) {
  std::vector<fs::path> folders;
  for (const auto* specs : {&inputs.music, &inputs.video}) {
    for (const auto& spec : *specs) {
      const auto folder = store_folder / "encoders" / spec.feature;
      if (fs::exists(folder / "about.json")) folders.push_back(folder);
    }
  }
  return folders;
}

void check_same_features(const MatchingRun& run, const store::FeatureStore& store) {
  for (const auto& [feature, fingerprint] : run.about.at("features").items()) {
    for (const char* kind : {"music", "film"}) {
      const auto stored = store.provenance(feature, kind);
      VMR_CHECK(!stored || stored->fingerprint() == fingerprint.get<std::string>(),
                "build_index: the store's \"", feature,
                "\" was made with other weights or options than the run was trained on; run "
                "`vmr embed` with that run's encoders, or train again");
    }
  }
}

// The sentence encoder of the store, where the run was trained with its vectors: any words can be a
// query then.
void add_text_encoder(const MatchingRun& run, const store::FeatureStore& store,
                      const fs::path& store_folder,
                      std::map<std::string, retrieval::AttachmentSource>& files) {
  const auto vectors = store.provenance(kTagFeature, "tag");
  const auto folder = text_encoder_folder(store_folder);
  if (!vectors || run.about.value("text", "") != vectors->fingerprint() || !fs::exists(folder)) {
    return;
  }
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files["text/" + entry.path().lexically_relative(folder).string()].path = entry.path();
  }
}

// Written aside and renamed: a build that is cut leaves no half catalogue.
retrieval::CatalogueStats write_index(
    const fs::path& folder, const retrieval::Space& space,
    const std::map<std::string, retrieval::AttachmentSource>& files,
    const retrieval::CatalogueTracks& tracks) {
  const bool fresh = !fs::exists(folder) || fs::is_empty(folder);
  if (!fresh) retrieval::Catalogue::create(folder, space);  // says what is wrong
  auto aside = folder;
  aside += ".part";
  fs::remove_all(aside);
  retrieval::CatalogueStats stats;
  {
    const auto catalogue = retrieval::Catalogue::create(aside, space);
    catalogue->attach(files);
    catalogue->add(tracks);
    stats = catalogue->stats();
  }
  fs::remove(folder);  // an empty folder of the user's
  fs::rename(aside, folder);
  return stats;
}

}  // namespace

IndexSummary build_index(const fs::path& run_folder, const fs::path& store_folder,
                         const fs::path& index_folder, const BuildIndexOptions& options,
                         const RunControl& control) {
  const auto run = open_matching_run(run_folder, options.device);
  const auto store = store::FeatureStore::open(store_folder);
  const auto manifest = stored_manifest(*store);
  check_same_features(run, *store);
  check_inputs(run, *store, store_folder, ItemKinds::music);
  if (run.about.contains("imported")) {
    control.log(LogLevel::warning,
                "the weights of " + run_folder.string() +
                    " were imported: the published network never embedded an item alone, so the "
                    "catalogue ranks by an approximation of its scores; `vmr train --from` "
                    "teaches it to");
  }

  auto dataset = train::dataset_options(run.model->inputs(), options.split);
  dataset.music_only = true;
  const data::PairDataset items(*store, manifest, dataset, {}, control);
  retrieval::CatalogueTracks batch;
  batch.space = detail::space_of(run).id;
  batch.ids = items.tracks();
  batch.vectors = train::embed_music(*run.model, items);
  for (const auto& id : batch.ids) {
    const auto* item = manifest.find("music", id);
    auto metadata = detail::metadata_of(*item);
    store->visit({"beats", "music", id},
                 [&](const FeatureTrack& beats) { metadata["beats"] = beats.values.size(0); });
    batch.metadata.push_back(std::move(metadata));
  }

  std::map<std::string, retrieval::AttachmentSource> files;
  Recipe extract_recipe = run.recipe;
  extract_recipe.extract = stored_extract_recipe(*store);
  files["recipe.json"].bytes = to_json(extract_recipe).dump(2);
  files["model/recipe.json"].bytes = to_json(run.recipe).dump(2);
  files["model/about.json"].bytes = run.about.dump(2);
  for (const char* name : {"weights.safetensors", "model.json"}) {
    files[std::string("model/") + name].path = run.checkpoint / name;
  }
  if (!run.tags.empty()) {
    files["model/tag_vectors.npy"].bytes = store::npy_bytes(run.tags.vectors);
  }
  add_text_encoder(run, *store, store_folder, files);
  for (const auto& folder : encoder_folders(store_folder, run.model->inputs())) {
    for (const char* name : {"about.json", "weights.safetensors", "model.json"}) {
      files["encoders/" + folder.filename().string() + "/" + name].path = folder / name;
    }
  }
  IndexSummary summary;
  summary.tracks = int64_t(batch.ids.size());
  summary.failures = items.missing();
  summary.stats = write_index(index_folder, detail::space_of(run), files, batch);
  return summary;
}

}  // namespace vmr::pipeline
