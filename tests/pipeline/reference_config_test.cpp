// Pins what configurations of the published code become: a field for every key, switches for its
// mistakes, and errors that name key and value.
#include "vmr/pipeline/reference_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "pipeline/yaml_file.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"
#include "vmr/core/version.h"
#include "vmr/model/ut_cmvmr.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

// No value is the default, so that a key that is not read shows.
const char* const kMatching = R"(# the matching network
a_data_dim: 64
v_data_dim: 48
t_data_dim: 96
init_method: "xavier"
dim_rho: 96
dim_theta: 32
encoder_hidden_size: 100
decoder_hidden_size: 50
dropout_encoder: 0.7
dropout_decoder: 0.5
depth_transformer: 2
reg_loss: True
additional_dropout: 0.5
momentum: 0.5
first_additional_triplet: 2
second_additional_triplet: 3
margin: 0.25
max_clip: 5
a_enc_dmodel: 64
v_enc_dmodel: 48
nlayers: 3
dropout_enc: 0.6
enc_hidden_dim: 200
cross_hidden_dim: 300
inter_topk: 17
intra_topk: 18
inter_margin: 0.125
add_rhythm: 0
keep_prob: 0.75
loss_mask: [1, 2, 3, 0, 1, 6, -1, 8, 9]
batch_size: 128
epochs: 20
original_learning_rate: 3e-3
max_grad_norm: 4
decay_rate: 0.9
train_txt_vid_list: ./data/train_vid.txt
json_path: ./data/pairs.json
weight: 0.5
)";

const char* const kAudio = R"(seq_length: 298
input_dim: 64
num_classes: 663
encoder_dim: 128
num_encoder_layers: 3
num_attention_heads: 4
feedforward_expansion_factor: 3
conv_expansion_factor: 4
input_dropout: 0.2
feedforward_dropout: 0.2
attention_dropout: 0.2
conv_dropout: 0.2
conv_kernel_size: 15
file_num: 500
clip_sec: 3
batch_size: 64
epochs: 9
original_learning_rate: 1e-4
summary_steps: 100
max_grad_norm: 2
decay_rate: 0.96
lmdb_audio_path: /data/audio
)";

// "key: value" lines without yaml-cpp: enough for the two texts above.
json values_of(const std::string& yaml) {
  json values = json::object();
  std::istringstream lines(yaml);
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("#") || colon == line.npos) continue;
    std::string text = line.substr(colon + 2);
    if (text == "True") text = "true";
    const auto value = json::parse(text, nullptr, false);
    values[line.substr(0, colon)] = value.is_discarded() ? json(text) : value;
  }
  return values;
}

Recipe base() { return read_recipe(std::filesystem::path(VMR_RECIPES) / "ut_cmvmr_se_r.json"); }

ReferenceConfig converted(const json& values, ReferenceConfigOptions options = {}) {
  return reference_config(values, "c.yaml", base(), options);
}

auto converting(const std::string& key, const json& value) {
  return [=] {
    auto values = values_of(kMatching);
    values[key] = value;
    converted(values);
  };
}

auto refused_with(const std::string& text) {
  return ThrowsMessage<InvalidArgument>(HasSubstr(text));
}

TEST(ReferenceConfig, GivesEveryMatchingKeyAField) {
  const auto config = converted(values_of(kMatching));
  EXPECT_EQ(config.kind, "matching");
  EXPECT_THAT(config.unknown, testing::IsEmpty());
  auto model = config.recipe.model;
  model["loss"] = config.recipe.loss;
  const auto o = model::ut_cmvmr_options(model);
  EXPECT_EQ(std::tuple(o.text_dim, o.rho_dim, o.theta_dim), std::tuple(96, 96, 32));
  EXPECT_FALSE(model.contains("music_dim") || model.contains("video_dim"))
      << "the published files do not agree with each other: the features say it";
  EXPECT_EQ(std::tuple(o.encoder_hidden, o.projection_hidden, o.max_clips), std::tuple(100, 50, 5));
  EXPECT_EQ(std::tuple(o.encoder.layers, o.encoder.feed_forward, o.encoder.dropout),
            std::tuple(3, 200, 0.6));
  EXPECT_EQ(std::tuple(o.cross.layers, o.cross.feed_forward, o.cross.dropout, o.cross.head_width),
            std::tuple(2, 300, 0.7, 100));
  EXPECT_EQ(std::tuple(o.momentum, o.keep_prob, o.theta_weight, o.rhythm_flow, o.initialisation),
            std::tuple(0.5, 0.75, 0.5, false, nn::Initialisation::xavier_normal));
  const auto& loss = o.loss;
  EXPECT_EQ(std::tuple(loss.triplet, loss.regular, loss.text), std::tuple(1, 2, 3));
  // The classifier's gate is entry 3 and its weight entry 5, the ranking's 4 and 7.
  EXPECT_EQ(std::tuple(loss.match, loss.rank), std::tuple(6, 8));
  EXPECT_EQ(std::tuple(loss.structure, loss.tag_softmax, loss.adversarial, loss.independent),
            std::tuple(0, 0, 0, 0));
  EXPECT_EQ(std::tuple(loss.first_triplet, loss.second_triplet, loss.margin, loss.rank_margin),
            std::tuple(2, 3, 0.25, 0.125));
  EXPECT_EQ(std::tuple(loss.rank_top, loss.structure_top), std::tuple(17, 18));
  const auto& train = config.recipe.train;
  EXPECT_EQ(std::tuple(train.epochs, train.learning_rate, train.decay, train.clip_norm,
                       config.recipe.sampler.batch),
            std::tuple(20, 3e-3, 0.9, 4, 128));
  EXPECT_EQ(config.files.at("json_path"), "./data/pairs.json");
  std::vector<std::string> unused;
  for (const auto& [key, why] : config.unused) unused.push_back(key);
  EXPECT_THAT(unused,
              testing::UnorderedElementsAre("a_data_dim", "v_data_dim", "loss_mask", "reg_loss",
                                            "additional_dropout", "dropout_decoder"));
}

TEST(ReferenceConfig, AClosedGateTakesATermOut) {
  auto values = values_of(kMatching);
  values["loss_mask"] = {-1, 2, 3, -1, -1, 6, 7, 8, 9};
  const auto loss = converted(values).recipe.loss;
  EXPECT_EQ(loss.at("triplet"), 0);
  EXPECT_EQ(loss.at("match"), 0);
  EXPECT_EQ(loss.at("rank"), 0);
}

TEST(ReferenceConfig, ThePublishedCodesMistakesAreSwitchesUnlessCorrected) {
  const auto published = converted(values_of(kMatching)).recipe;
  EXPECT_TRUE(published.reference.positive_as_negative);
  EXPECT_TRUE(published.reference.normalise_over_clips);
  EXPECT_FALSE(published.reference.validate_in_training) << "results would depend on chance";
  EXPECT_FALSE(published.reference.bgr_grey) << "of another configuration";
  EXPECT_EQ(published.sampler.remainder, "largest_class");
  EXPECT_EQ(published.sampler.steps_per_epoch, 550);
  EXPECT_FALSE(published.extract.clip_flow->quantile_classes);
  EXPECT_EQ(published.extract.rhythm->beats, audio::BeatMethod::reference);

  // Nothing of the base is left that the published code lacks.
  auto other = to_json(base());
  other["loss"].update({{"mismatched", 1}, {"independent", 2}, {"set", "paper"}});
  other["model"]["embed_dropout"] = 0.5;
  const auto of = [&](bool as_published) {
    const auto changed = parse_recipe(other, "other.json");
    const auto recipe =
        reference_config(values_of(kMatching), "c.yaml", changed, {.as_published = as_published})
            .recipe;
    auto model = recipe.model;
    model["loss"] = recipe.loss;
    const auto o = model::ut_cmvmr_options(model);
    return std::tuple(o.loss.mismatched, o.loss.independent, o.loss.set, o.embed_dropout);
  };
  EXPECT_EQ(of(true), std::tuple(0, 0, model::LossSet::code, 0));
  EXPECT_EQ(of(false), std::tuple(1, 2, model::LossSet::paper, 0.5));

  const auto corrected = converted(values_of(kMatching), {.as_published = false}).recipe;
  EXPECT_EQ(corrected.reference, data::ReferenceBehaviour());
  EXPECT_EQ(corrected.sampler.steps_per_epoch, 0);
  EXPECT_EQ(corrected.train.epochs, 20);
  EXPECT_FALSE(corrected.loss.at("independent") == 0) << "the base's own term stays";
}

TEST(ReferenceConfig, GivesEveryKeyOfAConformerAField) {
  const auto config = converted(values_of(kAudio));
  EXPECT_EQ(config.kind, "pretrain_audio");
  EXPECT_THAT(config.unknown, testing::IsEmpty());
  const auto& part = config.recipe.pretrain.at("audio");
  EXPECT_EQ(std::tuple(part.dim, part.layers, part.heads, part.kernel), std::tuple(128, 3, 4, 15));
  EXPECT_EQ(std::tuple(part.feed_forward_expansion, part.conv_expansion, part.dropout),
            std::tuple(3, 4, 0.2));
  EXPECT_EQ(std::tuple(part.batch, part.epochs, part.learning_rate, part.clip_norm),
            std::tuple(64, 9, 1e-4, 2));
  EXPECT_EQ(part.schedule, "inverse_epoch");
  EXPECT_EQ(config.recipe.extract.fbank->mels, 64);
  EXPECT_EQ(config.recipe.extract.clip_seconds, 3);
  EXPECT_EQ(config.recipe.pretrain.at("video").layers, 10) << "not spoken of";
}

TEST(ReferenceConfig, GivesTheVideoConformerItsFrames) {
  auto values = values_of(kAudio);
  values.erase("lmdb_audio_path");
  values.erase("num_classes");
  values.update({{"lmdb_video_path", "v"},
                 {"max_frame_num", 20},
                 {"clip_sec", 4},
                 {"seq_length", 96},
                 {"input_dim", 512}});
  const auto recipe = converted(values).recipe;
  EXPECT_EQ(std::tuple(recipe.extract.height, recipe.extract.width, recipe.extract.max_frames),
            std::tuple(96, 128, 20));
  EXPECT_EQ(recipe.pretrain.at("video").input_scale, 1) << "grey values enter unscaled";
  EXPECT_TRUE(recipe.extract.bgr_grey);
  EXPECT_EQ(recipe.extract.kernel, video::ResizeKernel::opencv_bilinear);
  const auto corrected = converted(values, {.as_published = false}).recipe;
  EXPECT_DOUBLE_EQ(corrected.pretrain.at("video").input_scale, 1.0 / 255);
  values["input_dim"] = 510;
  EXPECT_THAT([&] { converted(values); },
              refused_with("c.yaml: input_dim: expected a multiple of 4"));
}

TEST(ReferenceConfig, ThreeConfigurationsMakeOneRecipe) {
  auto recipe = converted(values_of(kAudio)).recipe;
  recipe = reference_config(values_of(kMatching), "m.yaml", recipe, {}).recipe;
  EXPECT_EQ(recipe.pretrain.at("audio").layers, 3);
  EXPECT_EQ(recipe.train.epochs, 20);
  EXPECT_EQ(to_json(parse_recipe(to_json(recipe), "again")), to_json(recipe));
}

TEST(ReferenceConfig, ListsUnknownKeys) {
  auto values = values_of(kMatching);
  values["dim_thet"] = 3;
  values["zoom"] = "x";
  EXPECT_THAT(converted(values).unknown, ElementsAre("dim_thet", "zoom"));
}

TEST(ReferenceConfig, RefusesValuesByKeyAndValue) {
  EXPECT_THAT(converting("momentum", 1.5),
              refused_with("c.yaml: momentum: expected a number from 0 to 1, got 1.5"));
  EXPECT_THAT(converting("nlayers", 0), refused_with("nlayers: expected a whole number from 1"));
  EXPECT_THAT(converting("nlayers", 1.5), refused_with("got 1.5"));
  EXPECT_THAT(converting("epochs", "many"), refused_with("epochs: expected a whole number"));
  EXPECT_THAT(converting("add_rhythm", 2), refused_with("from 0 to 1, got 2"));
  EXPECT_THAT(converting("init_method", "zeros"), refused_with("expected kaiming or xavier"));
  EXPECT_THAT(converting("loss_mask", {1, 1}), refused_with("loss_mask: expected a list of 9"));
  EXPECT_THAT(converting("a_enc_dmodel", 32), refused_with("expected the value of a_data_dim, 64"));
  EXPECT_THAT(converting("json_path", 5), refused_with("json_path: expected a path, got 5"));
  EXPECT_THAT(converting("dim_rho", 100), refused_with("do not go together"));
  auto two = values_of(kMatching);
  two["momentum"] = -1;
  two["weight"] = "x";
  EXPECT_THAT([&] { converted(two); }, ThrowsMessage<InvalidArgument>(AllOf(
                                           HasSubstr("momentum"), HasSubstr("weight: expected"))));
  auto uneven = values_of(kAudio);
  uneven["conv_dropout"] = 0.3;
  EXPECT_THAT([&] { converted(uneven); }, refused_with("expected the 0.2 of the other dropouts"));
  uneven = values_of(kAudio);
  uneven["seq_length"] = 398;
  EXPECT_THAT([&] { converted(uneven); }, refused_with("seq_length: expected 298"));
  EXPECT_THAT([&] { converted({{"a", 1}}); }, refused_with("none of the published"));
  EXPECT_THAT([&] { converted({{"encoder_dim", 8}}); }, refused_with("--as pretrain_audio"));
  EXPECT_THAT([&] { converted({}, {.kind = "all"}); }, refused_with("expected \"key: value\""));
}

class YamlFile : public testing::Test {
 protected:
  void SetUp() override {
    if (build_info().find("yaml-cpp yes") == std::string::npos) GTEST_SKIP() << "no yaml-cpp";
  }
  json read(const std::string& text) {
    std::ofstream(folder_ / "c.yaml") << text;
    return read_yaml_file(folder_ / "c.yaml");
  }
  auto reading(const std::string& text) {
    return [this, text] { read(text); };
  }
  test::TempFolder folder_;
};

TEST_F(YamlFile, HasTheValuesOfTheText) {
  EXPECT_EQ(read(kMatching), values_of(kMatching));
  EXPECT_EQ(read(kAudio), values_of(kAudio));
  std::ofstream(folder_ / "c.yaml") << kMatching;
  EXPECT_EQ(to_json(read_reference_config(folder_ / "c.yaml", base()).recipe),
            to_json(converted(values_of(kMatching)).recipe));
}

TEST_F(YamlFile, TypesPlainWordsOnly) {
  EXPECT_EQ(read("{a: +5, b: '5', c: 1.5e-3, d: ~, e: no, f: .5, g: 1e999, h: nan, i: 1-2}"),
            json::parse(R"({"a": 5, "b": "5", "c": 0.0015, "d": null, "e": "no", "f": 0.5,
                            "g": "1e999", "h": "nan", "i": "1-2"})"));
  EXPECT_EQ(read("a:\n  - 1\n  - {b: [true]}"), json::parse(R"({"a": [1, {"b": [true]}]})"));
}

TEST_F(YamlFile, RefusesDamageByLine) {
  EXPECT_THAT(reading("a: 1\nb: [1, 2"), refused_with("c.yaml line 2"));
  EXPECT_THAT(reading("a: 1\na: 2\n"), refused_with("line 2: the key \"a\" stands twice"));
  EXPECT_THAT(reading("[1, 2]"), refused_with("expected \"key: value\" lines"));
  EXPECT_THAT(reading("just words"), refused_with("expected \"key: value\" lines"));
  EXPECT_THAT(reading("? [1]\n: 2\n"), refused_with("expected a word as key"));
  EXPECT_THAT(reading("a: *b\n"), refused_with("line 1"));
  EXPECT_THAT([&] { read_yaml_file(folder_ / "none.yaml"); },
              ThrowsMessage<StoreError>(HasSubstr("none.yaml")));
}

TEST_F(YamlFile, RefusesFilesMadeToExhaustMemory) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const auto last = "*a" + std::to_string(i - 1), name = "a" + std::to_string(i);
    bomb += name + ": &" + name + " [" + last;
    for (int k = 0; k < 9; ++k) bomb += ", " + last;
    bomb += "]\n";
  }
  EXPECT_THAT(reading(bomb), refused_with("values in all"));
  EXPECT_THAT(reading("a: " + std::string(60, '[') + std::string(60, ']')),
              refused_with("at most 32 levels"));
  EXPECT_THAT(reading("a: &b [*b]\n"), ThrowsMessage<InvalidArgument>(HasSubstr("line")));
  EXPECT_THAT(reading("a: " + std::string(2 << 20, 'x')), refused_with("bytes"));
}

}  // namespace
}  // namespace vmr::pipeline
