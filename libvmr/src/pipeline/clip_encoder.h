// A pre-trained Conformer as it is used after training: clips of a feature in, clip embeddings out.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "vmr/core/feature_track.h"
#include "vmr/nn/conformer.h"
#include "vmr/pipeline/recipe.h"

namespace vmr::pipeline {

// The encoder of a recipe for clips of rows of `input_dim` values.
nn::ConformerOptions conformer_options(const PretrainRecipe& recipe, int64_t input_dim,
                                       int64_t classes);

// What the folder of an encoder (ClipEncoder::save) says of how it was made, in the words of
// to_json(Recipe).pretrain: all of it, or of an encoder whose recipe is not known its input, label
// and network.
nlohmann::json encoder_recipe(const std::filesystem::path& folder);

class ClipEncoder {
 public:
  // `folder` holds about.json, weights.safetensors and model.json.
  static ClipEncoder load(const std::filesystem::path& folder, const c10::Device& device);
  // From a run folder: its best checkpoint. Also what save() copies.
  static ClipEncoder load_run(const std::filesystem::path& run_folder, const c10::Device& device);

  // A copy that load() reads, written aside and renamed.
  void save(const std::filesystem::path& folder) const;

  // The files of save(), by name.
  const std::string& input() const { return input_; }    // "fbank"
  const std::string& output() const { return output_; }  // "conformer_audio"
  std::string kind() const { return modality_ == "audio" ? "music" : "film"; }
  const std::string& weights_hash() const { return weights_hash_; }
  int64_t dim() const { return net_->options.dim(); }

  // Provenance of what encode returns for an input of this provenance.
  Provenance provenance(const Provenance& input) const;
  // clips: track of `input()` -> track of `output()`, one row a clip, [clips, dim] float32.
  FeatureTrack encode(const FeatureTrack& clips) const;

 private:
  ClipEncoder(const std::filesystem::path& checkpoint, const nlohmann::json& about,
              const c10::Device& device);

  std::string input_, output_, modality_, weights_hash_;
  nlohmann::json about_;
  std::filesystem::path checkpoint_;
  c10::Device device_;
  bool in_training_ = false;
  mutable nn::Conformer net_{nullptr};
};

}  // namespace vmr::pipeline
