#include "vmr/pipeline/recipe.h"

#include <cmath>

#include "core/file_io.h"
#include "vmr/core/json_reader.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;

const std::vector<std::pair<std::string, video::FlowMethod>> kFlowMethods = {
    {"farneback", video::FlowMethod::farneback},
    {"farneback_opencv", video::FlowMethod::farneback_opencv},
    {"farneback_cudaoptflow", video::FlowMethod::farneback_cudaoptflow},
    {"dis_ultrafast", video::FlowMethod::dis_ultrafast},
    {"dis_fast", video::FlowMethod::dis_fast},
    {"dis_medium", video::FlowMethod::dis_medium}};
const std::vector<std::pair<std::string, audio::BeatMethod>> kBeatMethods = {
    {"reference", audio::BeatMethod::reference},
    {"tracker", audio::BeatMethod::tracker},
    {"aubio", audio::BeatMethod::aubio}};
const std::vector<std::pair<std::string, video::ResizeKernel>> kResizeKernels = {
    {"bilinear", video::ResizeKernel::opencv_bilinear},
    {"area", video::ResizeKernel::opencv_area},
    {"pillow_bilinear", video::ResizeKernel::pillow_bilinear},
    {"pillow_bicubic", video::ResizeKernel::pillow_bicubic}};
const std::vector<std::pair<std::string, nn::RelPosMode>> kPositions = {
    {"ut_cmvmr", nn::RelPosMode::ut_cmvmr}, {"transformer_xl", nn::RelPosMode::transformer_xl}};
const std::vector<std::pair<std::string, nn::ScoreScale>> kScales = {
    {"model", nn::ScoreScale::model}, {"head", nn::ScoreScale::head}};
const std::vector<std::pair<std::string, bool>> kFlowClasses = {{"quantile", true},
                                                                {"reference", false}};

template <typename Enum>
std::string name_of(const std::vector<std::pair<std::string, Enum>>& names, Enum value) {
  for (const auto& [name, candidate] : names) {
    if (candidate == value) return name;
  }
  VMR_ASSERT(false, "a choice without a name");
}

template <typename Enum>
Enum parse_name(const std::vector<std::pair<std::string, Enum>>& names, const std::string& text,
                const char* what) {
  std::vector<std::string> known;
  for (const auto& [name, candidate] : names) {
    if (name == text) return candidate;
    known.push_back(name);
  }
  std::string list;
  for (const auto& name : known) list += (list.empty() ? "" : ", ") + name;
  const auto near = nearest_name(text, known);
  throw InvalidArgument("unknown " + std::string(what) + " \"" + text + "\"" +
                        (near.empty() ? "" : "; did you mean \"" + near + "\"?") +
                        " (choices: " + list + ")");
}

void positive(JsonReader& reader, const char* key, double value) {
  if (!(value > 0) || !std::isfinite(value)) {
    reader.fail(key, detail::concat("expected a positive number, got ", value));
  }
}

void not_negative(JsonReader& reader, const char* key, double value) {
  if (!(value >= 0) || !std::isfinite(value)) {
    reader.fail(key, detail::concat("expected zero or more, got ", value));
  }
}

void read_size(JsonReader& reader, int64_t& height, int64_t& width) {
  std::vector<int64_t> size = {height, width};
  reader.field("size", size);
  if (size.size() != 2 || size[0] < 16 || size[1] < 16 || size[0] > 8192 || size[1] > 8192) {
    reader.fail("size", "expected [height, width] from 16 to 8192 pixels");
  }
  height = size[0];
  width = size[1];
}

void read_features(JsonReader& features, ExtractRecipe& extract) {
  features.object("fbank", [&](JsonReader& reader) {
    auto& fbank = extract.fbank.emplace();
    reader.field("mels", fbank.mels);
    if (fbank.mels < 1 || fbank.mels > 256) reader.fail("mels", "expected 1 to 256 bands");
  });
  features.object("rhythm", [&](JsonReader& reader) {
    auto& rhythm = extract.rhythm.emplace();
    reader.choice("beats", rhythm.beats, kBeatMethods);
    bool reference = true;
    reader.choice<bool>("classes", reference, {{"reference", true}});
  });
  features.object("beats", [&](JsonReader& reader) {
    reader.choice("method", extract.beats.emplace().beats, kBeatMethods);
  });
  features.object("down_beats", [&](JsonReader& reader) {
    extract.down_beats = true;
    if (!extract.beats)
      features.fail("down_beats", "needs the feature \"beats\", whose bars it counts");
  });
  features.object("energy", [&](JsonReader& reader) { extract.energy = true; });
  features.object("sections", [&](JsonReader& reader) { extract.sections = true; });
  features.object("grey_clips", [&](JsonReader& reader) {
    extract.grey_clips = true;
    reader.choice<bool>("weights", extract.bgr_grey, {{"rgb", false}, {"bgr", true}});
  });
  features.object("clip_flow", [&](JsonReader& reader) {
    auto& flow = extract.clip_flow.emplace();
    reader.choice("method", flow.method, kFlowMethods);
    reader.choice("classes", flow.quantile_classes, kFlowClasses);
  });
  features.object("flow", [&](JsonReader& reader) {
    auto& flow = extract.flow.emplace();
    reader.choice("method", flow.method, kFlowMethods);
    reader.field("fps", flow.fps);
    positive(reader, "fps", flow.fps);
    reader.field("max_seconds", flow.max_seconds);
    not_negative(reader, "max_seconds", flow.max_seconds);
    read_size(reader, flow.height, flow.width);
  });
  features.object("cuts", [&](JsonReader& reader) {
    extract.cuts = true;
    if (!extract.flow) features.fail("cuts", "needs the feature \"flow\", whose frames it reads");
  });
}

void read_extract(JsonReader& reader, ExtractRecipe& extract) {
  reader.object("audio", [&](JsonReader& audio) {
    audio.field("rate_hz", extract.rate_hz);
    audio.field("max_seconds", extract.max_seconds);
    audio.field("clip_seconds", extract.clip_seconds);
    positive(audio, "rate_hz", extract.rate_hz);
    positive(audio, "max_seconds", extract.max_seconds);
    positive(audio, "clip_seconds", extract.clip_seconds);
  });
  reader.object("frames", [&](JsonReader& frames) {
    frames.field("fps", extract.fps);
    frames.field("max_frames", extract.max_frames);
    frames.choice("kernel", extract.kernel, kResizeKernels);
    frames.field("archive_order", extract.archive_order);
    positive(frames, "fps", extract.fps);
    positive(frames, "max_frames", static_cast<double>(extract.max_frames));
    read_size(frames, extract.height, extract.width);
  });
  reader.object("features", [&](JsonReader& features) { read_features(features, extract); });
  if (extract.clip_frames() < 2) {
    reader.fail("frames.fps", "fewer than two frames in a clip of audio.clip_seconds");
  }
}

void read_pretrain(JsonReader& reader, const std::string& modality, PretrainRecipe& pretrain) {
  pretrain.input = modality == "audio" ? "fbank" : "grey_clips";
  pretrain.output = "conformer_" + modality;
  if (modality == "video") pretrain.input_scale = 1.0 / 255;
  reader.field("input", pretrain.input);
  reader.field("output", pretrain.output);
  reader.field("label", pretrain.label);
  reader.field("dim", pretrain.dim);
  reader.field("layers", pretrain.layers);
  reader.field("heads", pretrain.heads);
  reader.field("kernel", pretrain.kernel);
  reader.field("feed_forward_expansion", pretrain.feed_forward_expansion);
  reader.field("conv_expansion", pretrain.conv_expansion);
  reader.field("dropout", pretrain.dropout);
  reader.field("input_scale", pretrain.input_scale);
  reader.field("epochs", pretrain.epochs);
  reader.field("batch", pretrain.batch);
  reader.field("learning_rate", pretrain.learning_rate);
  reader.field("clip_norm", pretrain.clip_norm);
  reader.choice("positions", pretrain.positions, kPositions);
  reader.choice("scale_by", pretrain.scale_by, kScales);
  reader.choice<std::string>("schedule", pretrain.schedule,
                             {{"inverse_epoch", "inverse_epoch"},
                              {"constant", "constant"},
                              {"exponential", "exponential"}});
  for (const auto& [key, value] : {std::pair<const char*, double>{"dim", double(pretrain.dim)},
                                   {"layers", double(pretrain.layers)},
                                   {"heads", double(pretrain.heads)},
                                   {"epochs", double(pretrain.epochs)},
                                   {"batch", double(pretrain.batch)},
                                   {"learning_rate", pretrain.learning_rate}}) {
    positive(reader, key, value);
  }
}

void apply_reference(Recipe& recipe) {
  const auto& reference = recipe.reference;
  if (reference.bilinear_frames) recipe.extract.kernel = video::ResizeKernel::opencv_bilinear;
  if (reference.bgr_grey) recipe.extract.bgr_grey = true;
  if (reference.remainder_to_one_tag) recipe.sampler.remainder = "largest_class";
  const auto grey = recipe.pretrain.find("video");
  if (reference.unscaled_grey && grey != recipe.pretrain.end()) grey->second.input_scale = 1;
}

json features_json(const ExtractRecipe& extract) {
  json features = json::object();
  if (extract.fbank) features["fbank"] = {{"mels", extract.fbank->mels}};
  if (extract.rhythm) {
    features["rhythm"] = {{"beats", to_string(extract.rhythm->beats)}, {"classes", "reference"}};
  }
  if (extract.beats) features["beats"] = {{"method", to_string(extract.beats->beats)}};
  if (extract.down_beats) features["down_beats"] = json::object();
  if (extract.energy) features["energy"] = json::object();
  if (extract.sections) features["sections"] = json::object();
  if (extract.grey_clips) features["grey_clips"] = {{"weights", extract.bgr_grey ? "bgr" : "rgb"}};
  if (extract.clip_flow) {
    features["clip_flow"] = {
        {"method", to_string(extract.clip_flow->method)},
        {"classes", name_of(kFlowClasses, extract.clip_flow->quantile_classes)}};
  }
  if (extract.flow) {
    features["flow"] = {{"method", to_string(extract.flow->method)},
                        {"fps", extract.flow->fps},
                        {"size", {extract.flow->height, extract.flow->width}},
                        {"max_seconds", extract.flow->max_seconds}};
  }
  if (extract.cuts) features["cuts"] = json::object();
  return features;
}

json to_json(const PretrainRecipe& p) {
  return {{"input", p.input},
          {"output", p.output},
          {"label", p.label},
          {"dim", p.dim},
          {"layers", p.layers},
          {"heads", p.heads},
          {"kernel", p.kernel},
          {"feed_forward_expansion", p.feed_forward_expansion},
          {"conv_expansion", p.conv_expansion},
          {"dropout", p.dropout},
          {"input_scale", p.input_scale},
          {"epochs", p.epochs},
          {"batch", p.batch},
          {"learning_rate", p.learning_rate},
          {"clip_norm", p.clip_norm},
          {"positions", name_of(kPositions, p.positions)},
          {"scale_by", name_of(kScales, p.scale_by)},
          {"schedule", p.schedule}};
}

}  // namespace

int64_t ExtractRecipe::clip_frames() const { return std::llround(clip_seconds * fps); }

video::FlowMethod parse_flow_method(const std::string& name) {
  return parse_name(kFlowMethods, name, "flow method");
}
std::string to_string(video::FlowMethod method) { return name_of(kFlowMethods, method); }
audio::BeatMethod parse_beat_method(const std::string& name) {
  return parse_name(kBeatMethods, name, "beat method");
}
std::string to_string(audio::BeatMethod method) { return name_of(kBeatMethods, method); }

Recipe parse_recipe(const json& source, const std::string& file_name) {
  Recipe recipe;
  JsonReader reader(source, file_name);
  reader.field("name", recipe.name);
  reader.object("extract", [&](JsonReader& extract) { read_extract(extract, recipe.extract); });
  reader.object("pretrain", [&](JsonReader& pretrain) {
    for (const std::string modality : {"audio", "video"}) {
      pretrain.object(modality, [&](JsonReader& part) {
        read_pretrain(part, modality, recipe.pretrain[modality]);
      });
    }
  });
  // The model checks its own options when it is built; here only that they are objects.
  for (const auto& [key, value] : {std::pair{"model", &recipe.model}, {"loss", &recipe.loss}}) {
    const json& part = reader.raw(key);
    if (part.is_null()) continue;
    if (!part.is_object()) reader.fail(key, "expected an object {...}");
    *value = part;
  }
  reader.object("sampler", [&](JsonReader& sampler) {
    sampler.choice<std::string>("kind", recipe.sampler.kind,
                                {{"balanced_fixed", "balanced_fixed"},
                                 {"balanced_random", "balanced_random"},
                                 {"shuffled", "shuffled"}});
    sampler.field("alpha", recipe.sampler.alpha);
    sampler.field("batch", recipe.sampler.batch);
    sampler.field("steps_per_epoch", recipe.sampler.steps_per_epoch);
    sampler.choice<std::string>(
        "remainder", recipe.sampler.remainder,
        {{"round_robin", "round_robin"}, {"largest_class", "largest_class"}});
    if (recipe.sampler.batch < 2) sampler.fail("batch", "expected at least 2 films a batch");
    if (!(recipe.sampler.alpha >= 0 && recipe.sampler.alpha <= 1)) {
      sampler.fail("alpha", "expected 0 to 1");
    }
  });
  reader.object("train", [&](JsonReader& train) {
    train.field("epochs", recipe.train.epochs);
    train.field("learning_rate", recipe.train.learning_rate);
    train.field("decay", recipe.train.decay);
    train.field("decay_steps", recipe.train.decay_steps);
    train.field("clip_norm", recipe.train.clip_norm);
    train.field("weight_decay", recipe.train.weight_decay);
    positive(train, "epochs", static_cast<double>(recipe.train.epochs));
    positive(train, "learning_rate", recipe.train.learning_rate);
    positive(train, "decay_steps", static_cast<double>(recipe.train.decay_steps));
  });
  reader.object("evaluate", [&](JsonReader& evaluate) {
    evaluate.choice<std::string>("protocol", recipe.evaluate.protocol,
                                 {{"full", "full"},
                                  {"tag_to_tag", "tag_to_tag"},
                                  {"video_to_tag", "video_to_tag"},
                                  {"dam", "dam"}});
    evaluate.field("ks", recipe.evaluate.ks);
    if (recipe.evaluate.ks.empty()) evaluate.fail("ks", "expected at least one rank, got []");
    for (const int64_t k : recipe.evaluate.ks) {
      if (k < 1) evaluate.fail("ks", "expected positive ranks");
    }
    // The weight of theta against rho is the model's; accepted here because the paper's evaluation
    // section states it.
    if (evaluate.has("theta_weight")) {
      double weight = 0;
      evaluate.field("theta_weight", weight);
      recipe.model["theta_weight"] = weight;
    }
  });
  if (reader.has("reference_behaviour")) {
    recipe.reference = data::reference_behaviour(reader.raw("reference_behaviour"));
    apply_reference(recipe);
  }
  reader.finish();
  if (recipe.name.empty()) recipe.name = std::filesystem::path(file_name).stem().string();
  return recipe;
}

Recipe read_recipe(const std::filesystem::path& path) {
  return parse_recipe(read_json_file(path.string()), path.string());
}

void write_recipe(const Recipe& recipe, const std::filesystem::path& path) {
  vmr::detail::write_file_atomically(path, to_json(recipe).dump(1) + "\n");
}

json to_json(const ExtractRecipe& extract) {
  json frames = {{"fps", extract.fps},
                 {"size", {extract.height, extract.width}},
                 {"max_frames", extract.max_frames},
                 {"kernel", name_of(kResizeKernels, extract.kernel)}};
  // Only where it is on: the provenance of features is made of this.
  if (extract.archive_order) frames["archive_order"] = true;
  return {{"audio",
           {{"rate_hz", extract.rate_hz},
            {"max_seconds", extract.max_seconds},
            {"clip_seconds", extract.clip_seconds}}},
          {"frames", frames},
          {"features", features_json(extract)}};
}

json to_json(const Recipe& recipe) {
  json pretrain = json::object();
  for (const auto& [modality, part] : recipe.pretrain) pretrain[modality] = to_json(part);
  return {{"name", recipe.name},
          {"extract", to_json(recipe.extract)},
          {"pretrain", pretrain},
          {"model", recipe.model},
          {"loss", recipe.loss},
          {"sampler",
           {{"kind", recipe.sampler.kind},
            {"alpha", recipe.sampler.alpha},
            {"batch", recipe.sampler.batch},
            {"steps_per_epoch", recipe.sampler.steps_per_epoch},
            {"remainder", recipe.sampler.remainder}}},
          {"train",
           {{"epochs", recipe.train.epochs},
            {"learning_rate", recipe.train.learning_rate},
            {"decay", recipe.train.decay},
            {"decay_steps", recipe.train.decay_steps},
            {"clip_norm", recipe.train.clip_norm},
            {"weight_decay", recipe.train.weight_decay}}},
          {"evaluate", {{"protocol", recipe.evaluate.protocol}, {"ks", recipe.evaluate.ks}}},
          {"reference_behaviour", data::to_json(recipe.reference)}};
}

}  // namespace vmr::pipeline
