#include "text/sentence_folder.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/json_fault.h"
#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"

namespace vmr::text::detail {
namespace {

using Json = nlohmann::json;
using Path = std::filesystem::path;

// config.json; keys that do not matter for the token outputs are passed over.
BertEncoderOptions read_encoder(const Path& folder) {
  const auto path = (folder / "config.json").string();
  const auto json = read_json_file(path);
  JsonReader reader(json, path);
  auto kind = BertKind::bert;
  reader.choice(
      "model_type", kind,
      {{"bert", BertKind::bert}, {"xlm-roberta", BertKind::xlm_r}, {"mpnet", BertKind::mpnet}});
  std::string activation = "gelu", positions = "absolute";
  reader.field("hidden_act", activation);
  reader.field("position_embedding_type", positions);
  if (activation != "gelu") reader.fail("hidden_act", "expected \"gelu\", got " + activation);
  if (positions != "absolute") {
    reader.fail("position_embedding_type", "expected \"absolute\", got " + positions);
  }
  BertEncoderOptions options(kind, 0, 0);
  if (kind != BertKind::bert) options.pad_id(1);
  const std::pair<const char*, int64_t*> sizes[] = {
      {"vocab_size", &options.vocabulary()},
      {"hidden_size", &options.dim()},
      {"num_hidden_layers", &options.layers()},
      {"num_attention_heads", &options.heads()},
      {"intermediate_size", &options.feed_forward()},
      {"max_position_embeddings", &options.positions()},
      {"type_vocab_size", &options.token_types()},
      {"pad_token_id", &options.pad_id()},
      {"relative_attention_num_buckets", &options.relative_buckets()}};
  for (const auto& [key, value] : sizes) reader.field(key, *value);
  reader.field("layer_norm_eps", options.norm_eps());
  return options;
}

std::vector<Pooling> read_pooling(const Path& folder) {
  const auto path = (folder / "config.json").string();
  const auto json = read_json_file(path);
  JsonReader reader(json, path);
  std::vector<Pooling> pooling;
  // In the order in which several are put one after the other.
  const std::pair<const char*, Pooling> known[] = {{"pooling_mode_cls_token", Pooling::cls},
                                                   {"pooling_mode_max_tokens", Pooling::max},
                                                   {"pooling_mode_mean_tokens", Pooling::mean}};
  for (const auto& [key, mode] : known) {
    bool wanted = false;
    reader.field(key, wanted);
    if (wanted) pooling.push_back(mode);
  }
  for (const char* key : {"pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens",
                          "pooling_mode_lasttoken"}) {
    bool wanted = false;
    reader.field(key, wanted);
    if (wanted) reader.fail(key, "this pooling is not read; expected cls, max or mean");
  }
  if (reader.has("pooling_mode")) {
    auto mode = Pooling::mean;
    reader.choice("pooling_mode", mode,
                  {{"cls", Pooling::cls}, {"max", Pooling::max}, {"mean", Pooling::mean}});
    pooling = {mode};
  }
  if (pooling.empty()) reader.fail("pooling_mode_mean_tokens", "no pooling mode is true");
  return pooling;
}

// Of model.safetensors and pytorch_model.bin the first is read.
constexpr const char* kTransformerFiles[] = {
    "config.json",       "sentence_bert_config.json", "model.safetensors",
    "pytorch_model.bin", "sentencepiece.bpe.model",   "special_tokens_map.json",
    "tokenizer.json",    "tokenizer_config.json",     "vocab.txt"};

std::vector<Path> files_of(const Path& folder, const Path& transformer, const Path& pooling) {
  std::vector<Path> files = {"modules.json", (pooling / "config.json").lexically_relative(folder)};
  for (const Path name : kTransformerFiles) {
    const bool other =
        name == "pytorch_model.bin" && std::filesystem::exists(transformer / "model.safetensors");
    if (other || !std::filesystem::exists(transformer / name)) continue;
    files.push_back((transformer / name).lexically_relative(folder));
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Where a module lies; "" is the folder itself.
Path place_of(const Path& folder, const std::string& path, const std::string& source) {
  const auto inside = Path(path).lexically_normal();
  VMR_CHECK(inside.is_relative() && (inside.empty() || *inside.begin() != ".."),
            "SentenceEncoder: ", source, ": expected modules inside of the folder, got the path ",
            path);
  return inside.empty() ? folder : folder / inside;
}

std::string last_part(const std::string& type) { return type.substr(type.rfind('.') + 1); }

}  // namespace

SentenceFolder read_sentence_folder(const Path& folder) {
  if (!std::filesystem::exists(folder)) {
    throw StoreError("there is no folder " + folder.string() +
                     "; expected one of sentence-transformers, which has modules.json");
  }
  const auto path = (folder / "modules.json").string();
  if (!std::filesystem::exists(path)) {
    throw StoreError(folder.string() +
                     " is no folder of sentence-transformers: it has no modules.json");
  }
  const auto modules = read_json_file(path);
  SentenceFolder result{folder, BertEncoderOptions(BertKind::bert, 0, 0)};
  std::vector<std::string> order;
  Path pooling;
  try {
    for (const auto& module : modules) {
      const auto place = place_of(folder, module.at("path").get<std::string>(), path);
      order.push_back(last_part(module.at("type").get<std::string>()));
      if (order.back() == "Transformer") result.transformer = place;
      if (order.back() != "Pooling") continue;
      pooling = place;
      result.pooling = read_pooling(place);
    }
  } catch (const Json::exception& error) {
    throw StoreError("SentenceEncoder: " + path + ": " + vmr::detail::json_fault(error));
  }
  const std::vector<std::string> plain = {"Transformer", "Pooling"};
  auto unit = plain;
  unit.emplace_back("Normalize");
  result.normalise = order == unit;
  std::string names;
  for (const auto& name : order) names += " " + name;
  VMR_CHECK(order == plain || order == unit, "SentenceEncoder: ", path,
            ": expected Transformer, Pooling and at most Normalize, got", names);
  result.encoder = read_encoder(result.transformer);
  const auto lengths = result.transformer / "sentence_bert_config.json";
  if (std::filesystem::exists(lengths)) {
    const auto json = read_json_file(lengths.string());
    JsonReader reader(json, lengths.string());
    reader.field("max_seq_length", result.max_tokens);
    reader.field("do_lower_case", result.lower_case);
  }
  result.files = files_of(folder, result.transformer, pooling);
  return result;
}

}  // namespace vmr::text::detail
