#include "vmr/pipeline/reference_config.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "pipeline/yaml_file.h"
#include "vmr/core/json_reader.h"
#include "vmr/model/ut_cmvmr.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;

// A number, and the place in the recipe's JSON that takes it.
struct NumberKey {
  const char* key;
  const char* place;
  double low, high;
  bool whole = true;
};

constexpr double kMost = 1e6;

constexpr NumberKey kMatching[] = {
    {"t_data_dim", "/model/text_dim", 1, kMost},
    {"dim_rho", "/model/rho_dim", 4, kMost},
    {"dim_theta", "/model/theta_dim", 1, kMost},
    {"encoder_hidden_size", "/model/encoder_hidden", 0, kMost},
    {"decoder_hidden_size", "/model/projection_hidden", 0, kMost},
    // The published code hands this one to the cross attention, whatever its name.
    {"dropout_encoder", "/model/cross/dropout", 0, 0.99, false},
    {"dropout_enc", "/model/encoder/dropout", 0, 0.99, false},
    {"depth_transformer", "/model/cross/layers", 1, 100},
    {"nlayers", "/model/encoder/layers", 1, 100},
    {"enc_hidden_dim", "/model/encoder/feed_forward", 1, kMost},
    {"cross_hidden_dim", "/model/cross/feed_forward", 1, kMost},
    {"momentum", "/model/momentum", 0, 1, false},
    {"keep_prob", "/model/keep_prob", 0.01, 1, false},
    {"max_clip", "/model/max_clips", 1, 10000},
    {"weight", "/model/theta_weight", 0, 1, false},
    {"first_additional_triplet", "/loss/first_triplet", 0, kMost, false},
    {"second_additional_triplet", "/loss/second_triplet", 0, kMost, false},
    {"margin", "/loss/margin", 0, 10, false},
    {"inter_margin", "/loss/rank_margin", 0, 10, false},
    {"inter_topk", "/loss/rank_top", 1, 1e9},
    {"intra_topk", "/loss/structure_top", 3, 1e9},
    {"batch_size", "/sampler/batch", 2, 1e9},
    {"epochs", "/train/epochs", 1, kMost},
    {"original_learning_rate", "/train/learning_rate", 1e-12, 100, false},
    {"max_grad_norm", "/train/clip_norm", 0, 1e9, false},
    {"decay_rate", "/train/decay", 1e-6, 1, false}};

constexpr NumberKey kPretrain[] = {
    {"encoder_dim", "dim", 2, kMost},
    {"num_encoder_layers", "layers", 1, 999},
    {"num_attention_heads", "heads", 1, kMost},
    {"feedforward_expansion_factor", "feed_forward_expansion", 1, 999},
    {"conv_expansion_factor", "conv_expansion", 2, 998},
    {"conv_kernel_size", "kernel", 1, 9999},
    {"batch_size", "batch", 1, 1e9},
    {"epochs", "epochs", 1, kMost},
    {"original_learning_rate", "learning_rate", 1e-12, 100, false},
    {"max_grad_norm", "clip_norm", 0, 1e9, false}};

constexpr const char* kFileKeys[] = {"lmdb_audio_path",
                                     "lmdb_video_path",
                                     "paraphrase_lmdb_text_path",
                                     "all_lmdb_text_path",
                                     "train_txt_vid_list",
                                     "test_txt_vid_list",
                                     "valid_txt_vid_list",
                                     "train_txt_aid_list",
                                     "test_txt_aid_list",
                                     "audio_rhythm_pkl",
                                     "video_optical_json",
                                     "json_path",
                                     "save_dir"};

// Collects all that is wrong with a configuration before it complains.
class Values {
 public:
  Values(const json& values, std::string file) : values_(values), file_(std::move(file)) {
    VMR_CHECK(values.is_object(), file_, ": expected \"key: value\" lines");
  }

  bool has(const char* key) const { return values_.contains(key); }

  const json* find(const char* key) {
    known_.insert(key);
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : &*found;
  }

  std::optional<double> number(const char* key, double low, double high, bool whole) {
    const json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (value->is_number()) {
      const double number = *value;
      if (number >= low && number <= high && (!whole || number == std::floor(number))) {
        return number;
      }
    }
    complain(key, detail::concat("expected ", whole ? "a whole number" : "a number", " from ", low,
                                 " to ", high));
    return std::nullopt;
  }

  void complain(const char* key, const std::string& rule) {
    problems_.push_back(file_ + ": " + key + ": " + rule + ", got " + values_.at(key).dump());
  }

  void throw_problems() const {
    if (problems_.empty()) return;
    std::string text;
    for (const auto& problem : problems_) text += (text.empty() ? "" : "\n") + problem;
    throw InvalidArgument(text);
  }

  std::vector<std::string> unknown() const {
    std::vector<std::string> keys;
    for (const auto& [key, value] : values_.items()) {
      if (known_.count(key) == 0) keys.push_back(key);
    }
    return keys;
  }

 private:
  const json& values_;
  const std::string file_;
  std::set<std::string> known_;
  std::vector<std::string> problems_;
};

void set(json& recipe, const std::string& place, const NumberKey& key, double value) {
  auto& field = recipe[json::json_pointer(place)];
  if (key.whole) {
    field = int64_t(value);
  } else {
    field = value;
  }
}

void mark_unused(Values& values, ReferenceConfig& result, const char* key, const char* why) {
  if (values.find(key) != nullptr) result.unused.emplace_back(key, why);
}

std::string kind_of(const Values& values, const std::string& file, const std::string& asked) {
  if (!asked.empty()) {
    VMR_CHECK(asked == "matching" || asked == "pretrain_audio" || asked == "pretrain_video",
              "unknown kind of configuration \"", asked,
              "\" (choices: matching, pretrain_audio, pretrain_video)");
    return asked;
  }
  if (values.has("dim_theta") || values.has("dim_rho") || values.has("loss_mask")) {
    return "matching";
  }
  VMR_CHECK(values.has("encoder_dim") || values.has("num_encoder_layers"), file,
            ": none of the published configurations has these keys: dim_theta or loss_mask were "
            "expected of the matching network, encoder_dim of a Conformer");
  for (const char* key : {"lmdb_video_path", "train_txt_vid_list", "max_frame_num"}) {
    if (values.has(key)) return "pretrain_video";
  }
  for (const char* key : {"lmdb_audio_path", "train_txt_aid_list", "num_classes"}) {
    if (values.has(key)) return "pretrain_audio";
  }
  throw InvalidArgument(file +
                        ": of a Conformer, but for sound or pictures? Say so with "
                        "--as pretrain_audio or --as pretrain_video");
}

// Which weight stands where: two losses are gated by one entry and weighted by another.
void read_loss_mask(Values& values, json& recipe, ReferenceConfig& result) {
  const json* mask = values.find("loss_mask");
  if (mask == nullptr) return;
  std::vector<double> entries;
  for (const auto& entry : *mask) {
    if (entry.is_number()) entries.push_back(entry);
  }
  const bool fits = mask->is_array() && mask->size() == 9 && entries.size() == 9;
  if (!fits) return values.complain("loss_mask", "expected a list of 9 numbers");
  auto& loss = recipe["loss"];
  for (const auto& [term, gate, weight] : {std::tuple{"triplet", 0, 0},
                                           {"regular", 1, 1},
                                           {"text", 2, 2},
                                           {"match", 3, 5},
                                           {"rank", 4, 7}}) {
    const double value = entries[size_t(gate)] < 0 ? 0 : entries[size_t(weight)];
    if (!(value >= 0)) {
      return values.complain(
          "loss_mask", detail::concat("expected entry ", weight, " (from 0), the weight of ", term,
                                      ", to be zero or more"));
    }
    loss[term] = value;
  }
  for (const char* off : {"structure", "tag_softmax", "adversarial"}) loss[off] = 0;
  result.unused.emplace_back(
      "loss_mask",
      "entries 6 and 8 (from 0): the published code has the terms of these switched "
      "off; 3 and 4 only switch, 5 and 7 are the weights");
}

void read_matching(Values& values, json& recipe, ReferenceConfig& result) {
  for (const auto& key : kMatching) {
    if (const auto value = values.number(key.key, key.low, key.high, key.whole)) {
      set(recipe, key.place, key, *value);
    }
  }
  for (const auto& [key, data] :
       {std::pair{"a_enc_dmodel", "a_data_dim"}, {"v_enc_dmodel", "v_data_dim"}}) {
    const auto width = values.number(key, 1, kMost, true);
    const auto other = values.number(data, 1, kMost, true);
    if (width && other && *other != *width) {
      values.complain(key, detail::concat("expected the value of ", data, ", ", *other,
                                          ": positions are added to the clip features"));
    }
    // The published files do not agree: their video Conformer is narrower than this.
    if (other) result.unused.emplace_back(data, "a run takes it from the features in the store");
  }
  if (const json* method = values.find("init_method")) {
    if (*method == "kaiming") {
      recipe["model"]["initialisation"] = "he_normal";
    } else if (*method == "xavier") {
      recipe["model"]["initialisation"] = "xavier_normal";
    } else {
      values.complain("init_method", "expected kaiming or xavier");
    }
  }
  if (const auto rhythm = values.number("add_rhythm", 0, 1, true)) {
    recipe["model"]["rhythm_flow"] = *rhythm == 1;
  }
  read_loss_mask(values, recipe, result);
  mark_unused(values, result, "reg_loss", "the published code does not read it");
  mark_unused(values, result, "additional_dropout", "the published networks do not insert it");
  mark_unused(values, result, "dropout_decoder", "the published networks do not insert it");
}

void publish_matching(json& recipe) {
  const Recipe base = parse_recipe(recipe, "the recipe");
  if (base.extract.rhythm) recipe["extract"]["features"]["rhythm"]["beats"] = "reference";
  if (base.extract.clip_flow) {
    recipe["extract"]["features"]["clip_flow"]["classes"] = "reference";
  }
  recipe["loss"]["independent"] = 0;
  recipe["loss"]["mismatched"] = 0;
  recipe["loss"]["set"] = "code";
  recipe["model"]["embed_dropout"] = 0;
  recipe["sampler"]["kind"] = "balanced_fixed";
  recipe["sampler"]["alpha"] = 1;
  recipe["sampler"]["steps_per_epoch"] = 550;
  recipe["evaluate"]["ks"] = {1, 5, 10, 12, 25};
  auto behaviour = data::to_json(data::all_reference_behaviour());
  for (const char* other : {"bilinear_frames", "bgr_grey", "unscaled_grey", "embed_in_training",
                            "validate_in_training"}) {
    behaviour.erase(other);
  }
  recipe["reference_behaviour"].update(behaviour);
}

void read_dropouts(Values& values, json& part) {
  std::optional<double> first;
  for (const char* key :
       {"input_dropout", "feedforward_dropout", "attention_dropout", "conv_dropout"}) {
    const auto value = values.number(key, 0, 0.99, false);
    if (value && first && *value != *first) {
      values.complain(key, detail::concat("expected the ", *first,
                                          " of the other dropouts: a recipe has one for all"));
    }
    if (value && !first) first = value;
  }
  if (first) part["dropout"] = *first;
}

// Frames of a clip's filter bank: 25 ms windows every 10 ms, whole ones only.
int64_t fbank_frames(const ExtractRecipe& extract) {
  const double milliseconds = extract.clip_seconds * 1000;
  return milliseconds < 25 ? 0 : int64_t((milliseconds - 25) / 10) + 1;
}

void read_shape(Values& values, const std::string& modality, json& recipe) {
  if (const auto seconds = values.number("clip_sec", 0.1, 3600, false)) {
    recipe["extract"]["audio"]["clip_seconds"] = *seconds;
  }
  if (const auto frames = values.number("max_frame_num", 1, kMost, true)) {
    recipe["extract"]["frames"]["max_frames"] = int64_t(*frames);
  }
  const auto extract = parse_recipe(recipe, "the recipe").extract;
  const auto steps = values.number("seq_length", 7, kMost, true);
  const auto width = values.number("input_dim", 7, kMost, true);
  auto& features = recipe["extract"]["features"];
  if (modality == "audio") {
    if (steps && *steps != double(fbank_frames(extract))) {
      values.complain("seq_length",
                      detail::concat("expected ", fbank_frames(extract),
                                     ", the frames of clips of ", extract.clip_seconds, " s"));
    }
    if (width && *width > 256) values.complain("input_dim", "expected at most 256 mel bands");
    if (width && *width <= 256) features["fbank"]["mels"] = int64_t(*width);
    return;
  }
  if (features.find("grey_clips") == features.end()) features["grey_clips"] = json::object();
  auto& size = recipe["extract"]["frames"]["size"];
  if (steps) size[0] = int64_t(*steps);
  if (width && int64_t(*width) % extract.clip_frames() != 0) {
    values.complain("input_dim", detail::concat("expected a multiple of ", extract.clip_frames(),
                                                ", the frames side by side in a clip"));
  } else if (width) {
    size[1] = int64_t(*width) / extract.clip_frames();
  }
}

void read_pretrain(Values& values, const std::string& modality, json& recipe,
                   ReferenceConfig& result) {
  auto& part = recipe["pretrain"][modality];
  if (part.is_null()) part = json::object();
  for (const auto& key : kPretrain) {
    if (const auto value = values.number(key.key, key.low, key.high, key.whole)) {
      set(part, std::string("/") + key.place, key, *value);
    }
  }
  part["schedule"] = "inverse_epoch";
  part["positions"] = "ut_cmvmr";
  part["scale_by"] = "model";
  read_dropouts(values, part);
  read_shape(values, modality, recipe);
  mark_unused(values, result, "num_classes", "the classes are the labels of the data");
  mark_unused(values, result, "file_num", "items are not read in groups");
  mark_unused(values, result, "summary_steps", "every epoch is logged");
  mark_unused(values, result, "decay_rate",
              "the published schedule does not read it: the rate is divided by the epoch");
}

void publish_video(json& recipe) {
  recipe["extract"]["frames"]["archive_order"] = true;
  for (const char* name : {"bilinear_frames", "bgr_grey", "unscaled_grey"}) {
    recipe["reference_behaviour"][name] = true;
  }
}

void check_model(const Recipe& recipe, const std::string& file) {
  auto config = recipe.model;
  config["loss"] = recipe.loss;
  try {
    model::ut_cmvmr_options(config);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(file + ": the values do not go together: " + error.what());
  }
}

}  // namespace

ReferenceConfig reference_config(const json& source, const std::string& file, const Recipe& base,
                                 const ReferenceConfigOptions& options) {
  Values values(source, file);
  ReferenceConfig result;
  result.kind = kind_of(values, file, options.kind);
  json recipe = to_json(base);
  if (result.kind == "matching") {
    VMR_CHECK(base.model.value("kind", "") == "ut_cmvmr", file, ": recipe \"", base.name,
              "\" has the model ", base.model.value("kind", "(none)"),
              ", but the configuration is one of ut_cmvmr");
    read_matching(values, recipe, result);
    if (options.as_published) publish_matching(recipe);
  } else {
    const bool video = result.kind == "pretrain_video";
    read_pretrain(values, video ? "video" : "audio", recipe, result);
    if (options.as_published && video) publish_video(recipe);
  }
  mark_unused(values, result, "seed", "a run takes it: --seed of `vmr pretrain` and `vmr train`");
  for (const char* key : kFileKeys) {
    if (const json* path = values.find(key)) {
      if (path->is_string()) {
        result.files[key] = *path;
      } else {
        values.complain(key, "expected a path");
      }
    }
  }
  values.throw_problems();
  result.unknown = values.unknown();
  result.recipe = parse_recipe(recipe, file);
  if (result.kind == "matching") check_model(result.recipe, file);
  return result;
}

ReferenceConfig read_reference_config(const std::filesystem::path& path, const Recipe& base,
                                      const ReferenceConfigOptions& options) {
  return reference_config(read_yaml_file(path), path.string(), base, options);
}

}  // namespace vmr::pipeline
