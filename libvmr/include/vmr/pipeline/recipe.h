// Recipe: a system as data. One JSON file says what to extract, how to pre-train the clip encoders,
// which matching model to train with which losses and how to evaluate it. Names are the option
// structs' field names; unknown keys are errors that name the nearest known key. A recipe with
// every default written out is what runs and catalogues keep.
// Plain values: safe to share between threads for reading.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "vmr/audio/beat.h"
#include "vmr/audio/fbank.h"
#include "vmr/data/reference_behaviour.h"
#include "vmr/nn/relative_attention.h"
#include "vmr/video/frame.h"
#include "vmr/video/optical_flow.h"

namespace vmr::pipeline {

// What is decoded once per file, and the features computed from it.
struct ExtractRecipe {
  // Sound of tracks (a film's own sound is not used).
  double rate_hz = 16000;
  double max_seconds = 30;
  double clip_seconds = 4;
  // Frames of films.
  double fps = 1;
  int64_t height = 224, width = 224;
  int64_t max_frames = 30;
  video::ResizeKernel kernel = video::ResizeKernel::opencv_area;
  // Of films that are archives of pictures: in the order of the archive, as published, or by name.
  bool archive_order = false;

  // Features of tracks; an absent one is not computed.
  struct Fbank {
    int64_t mels = 80;
  };
  struct Rhythm {
    audio::BeatMethod beats = audio::BeatMethod::tracker;
  };
  std::optional<Fbank> fbank;    // "fbank" [clips, frames, mels] float32
  std::optional<Rhythm> rhythm;  // "rhythm_measures" [clips, 3] float32, "rhythm" [clips, 3] int64
  std::optional<Rhythm> beats;   // "beats" [beats] float64 seconds, of the whole song
  // Of the tracker of `beats`: "down_beats" [bars] float64 seconds and "beat_confidence" [1]
  // float32, 0..1.
  bool down_beats = false;
  bool energy = false;    // "energy" [values] float32 decibel at 10 Hz, of the whole song
  bool sections = false;  // "sections" [changes] float32 strength, rows at the changes

  // Features of films.
  struct ClipFlow {
    video::FlowMethod method = video::FlowMethod::farneback;
    bool quantile_classes = true;  // fitted on the training split; false: the paper's fixed bins
  };
  struct Flow {
    video::FlowMethod method = video::FlowMethod::farneback;
    double fps = 3;
    int64_t height = 240, width = 320;
    double max_seconds = 0;  // 0 = the whole film
  };
  bool grey_clips = false;            // "grey_clips" [clips, height, clip_frames*width] uint8
  bool bgr_grey = false;              // their grey weighs red and blue the other way round
  std::optional<ClipFlow> clip_flow;  // "clip_flow_measures" [clips] float32, "clip_flow" int64
  std::optional<Flow> flow;           // "flow" [frames] float32 pixels, value[0] = value[1]
  bool cuts = false;                  // "cuts" [cuts] float64 seconds, from the frames of `flow`

  // Frames of a clip: clip_seconds * fps.
  int64_t clip_frames() const;
};

// Pre-training of a clip encoder (Conformer) on labels of items.
struct PretrainRecipe {
  std::string input;          // feature with clips: "fbank" or "grey_clips"
  std::string output;         // feature `vmr embed` writes: "conformer_audio"
  std::string label = "tag";  // "tag" or a field of the manifest
  int64_t dim = 512, layers = 6, heads = 8, kernel = 31;
  int64_t feed_forward_expansion = 4, conv_expansion = 2;
  double dropout = 0.1;
  double input_scale = 1.0;  // values are multiplied by it (1/255 for grey frames)
  int64_t epochs = 200, batch = 1024;
  double learning_rate = 1e-3, clip_norm = 3;
  nn::RelPosMode positions = nn::RelPosMode::ut_cmvmr;
  nn::ScoreScale scale_by = nn::ScoreScale::model;
  std::string schedule = "inverse_epoch";  // or "constant", "exponential"
};

struct SamplerRecipe {
  std::string kind = "balanced_fixed";  // or "balanced_random", "shuffled"
  double alpha = 1;
  int64_t batch = 8192;
  int64_t steps_per_epoch = 0;            // 0: as many as batches fit into the training films
  std::string remainder = "round_robin";  // or "largest_class", as published
};

struct TrainRecipe {
  int64_t epochs = 200;
  double learning_rate = 3e-4, decay = 0.96, clip_norm = 3, weight_decay = 0;
  int64_t decay_steps = 1000;
};

struct EvaluateRecipe {
  std::string protocol = "full";  // what `vmr evaluate` reports without --protocol (runs.h)
  std::vector<int64_t> ks = {1, 5, 10, 25};
};

struct Recipe {
  std::string name;
  ExtractRecipe extract;
  std::map<std::string, PretrainRecipe> pretrain;   // "audio", "video"
  nlohmann::json model = nlohmann::json::object();  // config of model::make_matching_model
  nlohmann::json loss = nlohmann::json::object();   // term -> weight, handed to the model
  SamplerRecipe sampler;
  TrainRecipe train;
  EvaluateRecipe evaluate;
  // "reference_behaviour": {"switch": true}. Switches of stages that have a setting of their own
  // change that setting.
  data::ReferenceBehaviour reference;
};

// Throws: StoreError where unreadable; InvalidArgument naming file, key path, expectation, nearest.
Recipe read_recipe(const std::filesystem::path& path);
Recipe parse_recipe(const nlohmann::json& json, const std::string& file_name);
nlohmann::json to_json(const Recipe& recipe);
// With every default written out. Throws: StoreError where it cannot be written.
void write_recipe(const Recipe& recipe, const std::filesystem::path& path);
nlohmann::json to_json(const ExtractRecipe& recipe);

// Names at the command line and in recipes.
video::FlowMethod parse_flow_method(const std::string& name);
std::string to_string(video::FlowMethod method);
audio::BeatMethod parse_beat_method(const std::string& name);
std::string to_string(audio::BeatMethod method);

}  // namespace vmr::pipeline
