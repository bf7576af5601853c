#include "vmr/text/tokenizer.h"

#include <nlohmann/json.hpp>

#include "core/file_io.h"
#include "text/tokenizer_json.h"
#include "text/unigram.h"
#include "text/word_piece.h"
#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"

namespace vmr::text {
namespace {

using Json = nlohmann::json;
using Path = std::filesystem::path;

Json read_json_if_there(const Path& path) {
  return std::filesystem::exists(path) ? read_json_file(path) : Json::object();
}

// A special token is a text or an object with the text as its content.
void read_token(const Json& settings, const char* name, std::string& token) {
  const auto found = settings.find(name);
  if (found == settings.end()) return;
  if (found->is_string()) token = found->get<std::string>();
  if (found->is_object()) token = found->value("content", token);
}

std::vector<std::string> read_lines(const Path& path) {
  const auto text = vmr::detail::read_file(path);
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const bool windows = end > begin && text[end - 1] == '\r';
    lines.push_back(text.substr(begin, end - begin - (windows ? 1 : 0)));
    begin = end + 1;
  }
  return lines;
}

// The names of the special tokens, later files first in rank.
detail::WordPieceOptions word_piece_options(const Path& folder, const Json& document) {
  detail::WordPieceOptions options;
  if (!document.empty()) detail::read_word_piece_settings(document, options);
  const auto config = read_json_if_there(folder / "tokenizer_config.json");
  for (const auto& settings : {read_json_if_there(folder / "special_tokens_map.json"), config}) {
    read_token(settings, "cls_token", options.begin);
    read_token(settings, "sep_token", options.end);
    read_token(settings, "pad_token", options.pad);
    read_token(settings, "unk_token", options.unknown);
  }
  options.lower_case = config.value("do_lower_case", options.lower_case);
  options.split_ideographs = config.value("tokenize_chinese_chars", options.split_ideographs);
  if (config.contains("strip_accents") && config["strip_accents"].is_boolean()) {
    options.strip_accents = config["strip_accents"].get<bool>();
  }
  return options;
}

std::unique_ptr<Tokenizer> unigram_of_document(const Json& document, const std::string& source) {
  const auto model = detail::unigram_model(document, source);
  SpecialTokens special;
  const std::pair<const char*, int64_t*> wanted[] = {
      {"<s>", &special.begin}, {"</s>", &special.end}, {"<pad>", &special.pad}};
  const auto& vocabulary = document.at("model").at("vocab");
  for (const auto& [token, id] : wanted) {
    *id = -1;
    for (size_t i = 0; i < vocabulary.size() && *id < 0; ++i) {
      if (vocabulary[i].at(0) == token) *id = static_cast<int64_t>(i);
    }
    if (*id < 0) throw StoreError("open_tokenizer: " + source + " has no piece " + token);
  }
  special.unknown = document["model"]["unk_id"].get<int64_t>();
  return detail::make_unigram(model, detail::UnigramIds::same, special, source);
}

}  // namespace

std::vector<int64_t> Tokenizer::encode(std::string_view text, int64_t max_tokens) const {
  VMR_CHECK(max_tokens == 0 || max_tokens >= 2, "Tokenizer::encode: max_tokens = ", max_tokens,
            ", expected 0 (any number) or at least 2");
  auto pieces = encode_pieces(text);
  const auto most = static_cast<size_t>(max_tokens) - 2;
  if (max_tokens > 0 && pieces.size() > most) pieces.resize(most);
  pieces.insert(pieces.begin(), special().begin);
  pieces.push_back(special().end);
  return pieces;
}

std::unique_ptr<Tokenizer> open_tokenizer(const Path& folder) {
  const auto model = folder / "sentencepiece.bpe.model", words = folder / "vocab.txt";
  const auto path = folder / "tokenizer.json";
  if (std::filesystem::exists(model)) {
    return detail::make_unigram(vmr::detail::read_file(model), detail::UnigramIds::fairseq, {},
                                model.string());
  }
  try {
    const auto document = read_json_if_there(path);
    if (std::filesystem::exists(words)) {
      return detail::make_word_piece(read_lines(words), word_piece_options(folder, document),
                                     words.string());
    }
    if (document.empty()) {
      throw StoreError("open_tokenizer: " + folder.string() +
                       " has none of vocab.txt, sentencepiece.bpe.model, tokenizer.json");
    }
    const auto kind = document.at("model").value("type", "");
    if (kind == "Unigram") return unigram_of_document(document, path.string());
    VMR_CHECK(kind == "WordPiece", "open_tokenizer: ", path.string(), ": model of type \"", kind,
              "\", expected WordPiece or Unigram");
    return detail::make_word_piece(detail::word_piece_vocabulary(document, path.string()),
                                   word_piece_options(folder, document), path.string());
  } catch (const Json::exception& error) {
    throw StoreError("open_tokenizer: the settings in " + folder.string() +
                     " are damaged: " + error.what());
  }
}

}  // namespace vmr::text
