#include "pipeline/clip_encoder.h"

#include <torch/torch.h>

#include "core/file_io.h"
#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"
#include "vmr/train/checkpoint.h"
#include "vmr/train/conformer_task.h"

namespace vmr::pipeline {

namespace fs = std::filesystem;

nn::ConformerOptions conformer_options(const PretrainRecipe& recipe, int64_t input_dim,
                                       int64_t classes) {
  return nn::ConformerOptions(input_dim, classes)
      .dim(recipe.dim)
      .layers(recipe.layers)
      .heads(recipe.heads)
      .kernel(recipe.kernel)
      .feed_forward_expansion(recipe.feed_forward_expansion)
      .conv_expansion(recipe.conv_expansion)
      .input_dropout(recipe.dropout)
      .feed_forward_dropout(recipe.dropout)
      .attention_dropout(recipe.dropout)
      .conv_dropout(recipe.dropout)
      .input_scale(recipe.input_scale)
      .positions(recipe.positions)
      .scale_by(recipe.scale_by);
}

nlohmann::json encoder_recipe(const fs::path& folder) {
  const auto about = read_json_file((folder / "about.json").string());
  if (about.contains("pretrain")) return about.at("pretrain");
  const auto network = train::read_model_json(folder).at("options");
  nlohmann::json recipe = {{"dropout", network.at("input_dropout")}};
  for (const char* key : {"input", "output", "label"}) {
    if (about.contains(key)) recipe[key] = about.at(key);
  }
  for (const char* key : {"dim", "layers", "heads", "kernel", "feed_forward_expansion",
                          "conv_expansion", "input_scale", "positions", "scale_by"}) {
    if (network.contains(key)) recipe[key] = network.at(key);
  }
  return recipe;
}

ClipEncoder::ClipEncoder(const fs::path& checkpoint, const nlohmann::json& about,
                         const c10::Device& device)
    : about_(about), checkpoint_(checkpoint), device_(device) {
  if (about.value("run", "") != "pretrain") {
    throw StoreError(checkpoint.string() + ": not a pre-trained clip encoder but a run of `vmr " +
                     about.value("run", "?") + "`; give a run folder of `vmr pretrain`");
  }
  input_ = about.at("input");
  output_ = about.at("output");
  modality_ = about.at("modality");
  const auto model = train::read_model_json(checkpoint);
  net_ = nn::Conformer(
      train::conformer_options(model.at("options"), (checkpoint / "model.json").string()));
  train::load_weights(checkpoint, *net_);
  net_->to(device);
  // As published, dropout and the batch statistics of one item's clips: for audits only, since the
  // result depends on chance and on the items before.
  in_training_ = about.value("embed_in_training", false);
  net_->train(in_training_);
  weights_hash_ = train::weights_hash(*net_);
}

ClipEncoder ClipEncoder::load(const fs::path& folder, const c10::Device& device) {
  return {folder, read_json_file((folder / "about.json").string()), device};
}

ClipEncoder ClipEncoder::load_run(const fs::path& run_folder, const c10::Device& device) {
  auto about = read_json_file((run_folder / "about.json").string());
  // The recipe goes with the encoder, so that a store can tell which one made its features.
  const auto recipe = run_folder / "recipe.json";
  if (about.contains("modality") && fs::exists(recipe)) {
    const auto parts = read_json_file(recipe.string()).value("pretrain", nlohmann::json::object());
    const auto part = parts.find(about.at("modality").get<std::string>());
    if (part != parts.end()) about["pretrain"] = *part;
  }
  return {train::find_best_checkpoint(run_folder), about, device};
}

void ClipEncoder::save(const fs::path& folder) const {
  detail::replace_folder(folder, [&](const fs::path& aside) {
    for (const char* name : {"weights.safetensors", "model.json"}) {
      fs::copy_file(checkpoint_ / name, aside / name);
    }
    detail::write_file_atomically(aside / "about.json", about_.dump(2));
  });
}

Provenance ClipEncoder::provenance(const Provenance& input) const {
  nlohmann::json options = {{"input", input_}, {"made_from", input.fingerprint()}};
  if (in_training_) options["in_training"] = true;
  return {output_, "1", options.dump(), weights_hash_, input.media_hash};
}

FeatureTrack ClipEncoder::encode(const FeatureTrack& clips) const {
  const torch::NoGradGuard no_grad;
  FeatureTrack track;
  track.times = clips.times;
  track.provenance = provenance(clips.provenance);
  track.values = clips.values.size(0) == 0
                     ? torch::empty({0, dim()})
                     : net_->embed(clips.values.to(device_)).to(torch::kCPU).contiguous();
  return track;
}

}  // namespace vmr::pipeline
