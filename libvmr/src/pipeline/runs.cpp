#include "vmr/pipeline/runs.h"

#include <torch/torch.h>

#include <algorithm>
#include <set>

#include "pipeline/clip_encoder.h"
#include "pipeline/initial_weights.h"
#include "pipeline/run_inputs.h"
#include "pipeline/tag_texts.h"
#include "vmr/core/device.h"
#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"
#include "vmr/data/clip_dataset.h"
#include "vmr/data/pair_dataset.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/store/npy.h"
#include "vmr/train/checkpoint.h"
#include "vmr/train/conformer_task.h"
#include "vmr/train/embed_dataset.h"
#include "vmr/train/matching_task.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What a run folder keeps beside the trainer's own files.
std::map<std::string, std::string> run_files(const Recipe& recipe, const json& about,
                                             const data::TagVectors& tags = {}) {
  std::map<std::string, std::string> files = {{"recipe.json", to_json(recipe).dump(2) + "\n"},
                                              {"about.json", about.dump(2) + "\n"}};
  if (!tags.empty()) files["tag_vectors.npy"] = store::npy_bytes(tags.vectors);
  return files;
}

bool has_split(const store::Manifest& manifest, const std::string& kind, const std::string& split) {
  return !manifest.of(kind, split).empty();
}

std::string training_split(const store::Manifest& manifest, const std::string& kind) {
  return has_split(manifest, kind, "train") ? "train" : "";
}

train::Schedule schedule_of(const PretrainRecipe& recipe) {
  train::Schedule schedule;
  if (recipe.schedule == "inverse_epoch") schedule.kind = train::ScheduleKind::inverse_epoch;
  if (recipe.schedule == "exponential") schedule.kind = train::ScheduleKind::exponential;
  return schedule;
}

void report_missing(const std::vector<ItemFailure>& missing, const RunControl& control) {
  if (missing.empty()) return;
  control.log(LogLevel::warning, detail::concat(missing.size(), " items are left out; the first: ",
                                                missing[0].id, ": ", missing[0].reason));
}

// The model's config with the loss weights in it and the open dims filled from the store.
json model_config(const Recipe& recipe, const store::FeatureStore& store, bool has_tags) {
  json config = recipe.model;
  if (!recipe.loss.empty()) config["loss"] = recipe.loss;
  if (recipe.reference != data::ReferenceBehaviour()) {
    config["reference"] = data::to_json(recipe.reference);
  }
  const auto inputs = model::matching_model_inputs(config);
  for (const auto& [kind, specs] : {std::pair{"music", &inputs.music}, {"film", &inputs.video}}) {
    for (const auto& spec : *specs) {
      if (spec.dim_key.empty()) continue;
      const auto keys = store.keys(spec.feature, kind);
      VMR_CHECK(!keys.empty(), "train: the store has no feature \"", spec.feature, "\" of kind ",
                kind, "; pre-train the encoder and run `vmr embed` first");
      const int64_t dim = store.find(keys.front())->values.size(-1);
      VMR_CHECK(config.value(spec.dim_key, dim) == dim, "train: the recipe has model.",
                spec.dim_key, " ", config.value(spec.dim_key, dim), ", but rows of \"",
                spec.feature, "\" in the store have ", dim,
                " values; leave the key out to take the store's");
      config[spec.dim_key] = dim;
    }
  }
  if (inputs.text_dim > 0 && !has_tags) config["text_dim"] = 0;
  // Sentence vectors have a size of their own; a recipe may leave it open.
  if (const auto dim = stored_text_dim(store); dim > 0 && !config.contains("text_dim")) {
    config["text_dim"] = dim;
  }
  return config;
}

json fingerprints(const store::FeatureStore& store, const model::ModelInputs& inputs) {
  json result = json::object();
  for (const auto& [kind, specs] : {std::pair{"music", &inputs.music}, {"film", &inputs.video}}) {
    for (const auto& spec : *specs) {
      const auto provenance = store.provenance(spec.feature, kind);
      if (provenance) result[spec.feature] = provenance->fingerprint();
    }
  }
  return result;
}

bool has_tags(const store::Manifest& manifest) {
  return std::any_of(manifest.items.begin(), manifest.items.end(),
                     [](const auto& item) { return !item.tags.empty(); });
}

}  // namespace

train::TrainSummary pretrain(const Recipe& recipe, const std::string& modality,
                             const fs::path& store_folder, const fs::path& run_folder,
                             const TrainOptions& options, const RunControl& control) {
  const auto found = recipe.pretrain.find(modality);
  VMR_CHECK(found != recipe.pretrain.end(), "pretrain: recipe \"", recipe.name,
            "\" has no pretrain.", modality, "; parts are named audio and video");
  const PretrainRecipe& part = found->second;
  const auto device = resolve_device(options.device);
  const auto store = store::FeatureStore::open(store_folder);
  const auto manifest = stored_manifest(*store);
  const std::string kind = modality == "audio" ? "music" : "film";

  data::ClipDatasetOptions dataset;
  dataset.feature = part.input;
  dataset.kind = kind;
  dataset.label_field = part.label;
  dataset.batch = part.batch;
  dataset.split = training_split(manifest, kind);
  const data::ClipDataset training(*store, manifest, dataset, control);
  report_missing(training.missing(), control);
  std::optional<data::ClipDataset> validation;
  if (has_split(manifest, kind, "valid")) {
    dataset.split = "valid";
    validation.emplace(*store, manifest, dataset, control);
  }
  torch::manual_seed(options.seed);
  nn::Conformer net(
      conformer_options(part, training.clip_shape().back(), int64_t(training.classes().size())));
  net->to(device);
  const auto provenance = store->provenance(part.input, kind);
  json about = {{"run", "pretrain"},
                {"modality", modality},
                {"input", part.input},
                {"output", part.output},
                {"label", part.label},
                {"seed", options.seed},
                {"embed_in_training", recipe.reference.embed_in_training},
                {"features", {{part.input, provenance ? provenance->fingerprint() : ""}}}};
  if (auto from = begin_with(options.from, run_folder, net, control); !from.is_null()) {
    about["from"] = std::move(from);
  }
  train::ConformerPretraining task(net, training, validation ? &*validation : nullptr,
                                   {about.dump(), recipe.reference.validate_in_training});
  train::TrainerOptions trainer;
  trainer.epochs = part.epochs;
  trainer.learning_rate = part.learning_rate;
  trainer.schedule = schedule_of(part);
  trainer.clip_norm = part.clip_norm;
  trainer.seed = options.seed;
  return train::train(task, run_folder, trainer, control, run_files(recipe, about));
}

namespace {

// Writes `encode(item)` for all items of a kind that lack the feature, replacing another
// fingerprint.
template <typename Encode>
EmbedSummary write_feature(store::FeatureStore& store, const store::Manifest& manifest,
                           const std::string& feature, const std::string& kind,
                           const std::string& input, const std::string& fingerprint,
                           const RunControl& control, const Encode& encode) {
  EmbedSummary summary;
  summary.feature = feature;
  const auto stored = store.provenance(feature, kind);
  if (stored && stored->fingerprint() != fingerprint) {
    control.log(LogLevel::info, "replacing \"" + feature + "\" made with other weights");
    store.remove_feature(feature, kind);
  }
  const auto items = manifest.of(kind);
  for (size_t i = 0; i < items.size() && !control.stop.stop_requested(); ++i) {
    const store::FeatureKey key{feature, kind, items[i]->id};
    if (store.contains(key)) {
      ++summary.already_there;
    } else if (const auto track = store.find({input, kind, items[i]->id})) {
      store.put({{key, encode(*track)}});
      ++summary.items;
    } else {
      summary.failures.push_back({items[i]->id, "has no feature \"" + input + "\""});
    }
    control.progress({"embed " + kind, int64_t(i) + 1, int64_t(items.size()), items[i]->id});
  }
  return summary;
}

// A matching model's vectors of both kinds.
EmbedSummary embed_matching(const fs::path& run_folder, store::FeatureStore& store,
                            const fs::path& store_folder, const store::Manifest& manifest,
                            const RunOptions& options, const RunControl& control) {
  const auto run = open_matching_run(run_folder, options.device);
  check_inputs(run, store, store_folder);
  auto dataset = train::dataset_options(run.model->inputs(), "");
  dataset.unused_tracks = true;
  // Without the tags: an embedding needs none.
  const data::PairDataset items(store, manifest, dataset, {}, control);
  EmbedSummary summary;
  summary.feature = "embedding_" + run.recipe.name;
  summary.failures = items.missing();
  const json made_from = {{"features", run.about.at("features")}};
  const auto put = [&](const char* kind, const std::vector<std::string>& ids,
                       const at::Tensor& vectors) {
    const Provenance provenance{summary.feature, "1", made_from.dump(), run.weights_hash, ""};
    const auto stored = store.provenance(summary.feature, kind);
    if (stored && stored->fingerprint() != provenance.fingerprint()) {
      store.remove_feature(summary.feature, kind);
    }
    for (size_t i = 0; i < ids.size(); ++i) {
      const auto values = vectors[int64_t(i)].contiguous();
      // A vector of the whole item has no stretch of its own: rows without a known time.
      const auto times = RowTimes::explicit_rows(std::vector<Interval>(size_t(values.size(0))));
      store.put({{{summary.feature, kind, ids[i]}, {values, times, provenance}}});
      ++summary.items;
    }
  };
  put("music", items.tracks(), train::embed_music(*run.model, items));
  put("film", items.films(), train::embed_films(*run.model, items));
  return summary;
}

}  // namespace

EmbedSummary embed(const fs::path& run_folder, const fs::path& store_folder,
                   const RunOptions& options, const RunControl& control) {
  const auto about = read_about(run_folder);
  store::StoreOptions store_options;
  store_options.writable = true;
  const auto store = store::FeatureStore::open(store_folder, store_options);
  const auto manifest = stored_manifest(*store);
  if (about.value("run", "") == "train") {
    return embed_matching(run_folder, *store, store_folder, manifest, options, control);
  }
  const auto encoder = ClipEncoder::load_run(run_folder, resolve_device(options.device));
  const auto input = store->provenance(encoder.input(), encoder.kind());
  VMR_CHECK(input.has_value(), "embed: the store has no feature \"", encoder.input(), "\" of kind ",
            encoder.kind(), "; extract it first");
  encoder.save(store_folder / "encoders" / encoder.output());
  return write_feature(*store, manifest, encoder.output(), encoder.kind(), encoder.input(),
                       encoder.provenance(*input).fingerprint(), control,
                       [&](const FeatureTrack& clips) { return encoder.encode(clips); });
}

train::TrainSummary train_matching(const Recipe& recipe, const fs::path& store_folder,
                                   const fs::path& run_folder, const TrainOptions& options,
                                   const RunControl& control) {
  const auto device = resolve_device(options.device);
  const auto store = store::FeatureStore::open(store_folder);
  const auto manifest = stored_manifest(*store);
  torch::manual_seed(options.seed);
  const auto model = model::make_matching_model(model_config(recipe, *store, has_tags(manifest)));
  model->to(device);
  const auto inputs = model->inputs();
  const auto tags = tag_vectors(*store, manifest, inputs.text_dim);

  const data::PairDataset training(*store, manifest,
                                   train::dataset_options(inputs, training_split(manifest, "film")),
                                   tags, control);
  report_missing(training.missing(), control);
  std::optional<data::PairDataset> validation;
  if (has_split(manifest, "film", "valid")) {
    validation.emplace(*store, manifest, train::dataset_options(inputs, "valid"), tags, control);
  }
  train::MatchingTaskOptions task_options;
  task_options.sampler.kind = recipe.sampler.kind == "shuffled" ? data::SamplerKind::shuffled
                              : recipe.sampler.kind == "balanced_random"
                                  ? data::SamplerKind::balanced_random
                                  : data::SamplerKind::balanced_fixed;
  task_options.sampler.alpha = recipe.sampler.alpha;
  task_options.sampler.batch = std::min(recipe.sampler.batch, training.size());
  task_options.sampler.steps_per_epoch = recipe.sampler.steps_per_epoch;
  json about = {{"run", "train"},
                {"seed", options.seed},
                {"tags", tags.tags},
                {"features", fingerprints(*store, inputs)}};
  if (const auto text = store->provenance(kTagFeature, "tag"); text && !tags.empty()) {
    about["text"] = text->fingerprint();
  }
  if (auto from = begin_with(options.from, run_folder, *model, control); !from.is_null()) {
    about["from"] = std::move(from);
  }
  if (const auto edges = stored_flow_edges(*store)) {
    about["clip_flow_edges"] = json::parse(video::to_json(*edges));
  }
  task_options.sampler.remainder = recipe.sampler.remainder == "largest_class"
                                       ? data::Remainder::largest_class
                                       : data::Remainder::round_robin;
  task_options.validate_in_training = recipe.reference.validate_in_training;
  task_options.data = about.dump();
  train::MatchingTask task(model, training, validation ? &*validation : nullptr, task_options);
  train::TrainerOptions trainer;
  trainer.epochs = recipe.train.epochs;
  trainer.learning_rate = recipe.train.learning_rate;
  trainer.schedule = {train::ScheduleKind::exponential, recipe.train.decay,
                      recipe.train.decay_steps};
  trainer.clip_norm = recipe.train.clip_norm;
  trainer.weight_decay = recipe.train.weight_decay;
  trainer.seed = options.seed;
  return train::train(task, run_folder, trainer, control, run_files(recipe, about, tags));
}

MatchingRun open_matching_run(const fs::path& run_folder, const std::string& device) {
  MatchingRun run;
  run.about = read_about(run_folder);
  if (run.about.value("run", "") != "train") {
    throw StoreError(run_folder.string() + " is not a run of `vmr train` but of `vmr " +
                     run.about.value("run", "?") + "`");
  }
  run.recipe = read_recipe(run_folder / "recipe.json");
  // A catalogue keeps the one checkpoint beside the two files, a run folder keeps several.
  run.checkpoint = fs::exists(run_folder / "weights.safetensors")
                       ? run_folder
                       : train::find_best_checkpoint(run_folder);
  run.model = model::make_matching_model(train::read_model_json(run.checkpoint));
  train::load_weights(run.checkpoint, *run.model);
  run.model->to(resolve_device(device));
  run.model->eval();
  run.weights_hash = train::weights_hash(*run.model);
  const std::vector<std::string> tags = run.about.at("tags");
  if (!tags.empty()) {
    run.tags = {tags, store::read_npy(run_folder / "tag_vectors.npy")};
    data::validate(run.tags);
  }
  return run;
}

}  // namespace vmr::pipeline
