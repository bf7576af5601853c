#include "text/tokenizer_json.h"

#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "vmr/core/error.h"

namespace vmr::text::detail {
namespace {

using Json = nlohmann::json;

// Protocol buffers, as far as a ModelProto needs them. Field numbers are those of sentencepiece's
// public schema, sentencepiece_model.proto.
void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void put_number(std::string& out, int field, uint64_t value) {
  put_varint(out, static_cast<uint64_t>(field) << 3);
  put_varint(out, value);
}

void put_bytes(std::string& out, int field, std::string_view bytes) {
  put_varint(out, static_cast<uint64_t>(field) << 3 | 2);
  put_varint(out, bytes.size());
  out += bytes;
}

void put_float(std::string& out, int field, float value) {
  put_varint(out, static_cast<uint64_t>(field) << 3 | 5);
  const auto bits = std::bit_cast<uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(bits >> shift));
}

enum PieceType : uint64_t { kNormal = 1, kUnknown = 2, kControl = 3 };

std::string decode_base64(std::string_view text, const std::string& source) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string bytes;
  uint32_t window = 0;
  int bits = 0;
  for (const char c : text) {
    const auto digit = kDigits.find(c);
    if (digit == kDigits.npos) {
      throw StoreError("open_tokenizer: " + source + ": precompiled_charsmap is no base64");
    }
    window = window << 6 | static_cast<uint32_t>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<char>(window >> bits));
  }
  return bytes;
}

std::string type_of(const Json& json) { return json.is_object() ? json.value("type", "") : ""; }

// The normaliser's steps: sentencepiece's own character map; "two or more spaces are one" and "no
// spaces at the ends" are what a sentencepiece model does by itself.
std::string character_map(const Json& normalizer, const std::string& source) {
  std::string map;
  const auto steps =
      type_of(normalizer) == "Sequence" ? normalizer.at("normalizers") : Json::array({normalizer});
  for (const auto& step : steps) {
    const auto type = type_of(step);
    if (type == "Precompiled") {
      map = decode_base64(step.at("precompiled_charsmap").get<std::string>(), source);
    } else if (!step.is_null()) {
      const bool spaces =
          type == "Strip" ||
          (type == "Replace" && (step.at("content") == " " || step.at("content") == "▁") &&
           step.at("pattern") == Json{{"Regex", " {2,}"}});
      VMR_CHECK(spaces, "open_tokenizer: ", source, ": normaliser ", step.dump(),
                " is not read; put the model's sentencepiece.bpe.model beside it");
    }
  }
  return map;
}

}  // namespace

std::vector<std::string> word_piece_vocabulary(const Json& document, const std::string& source) {
  const auto& vocabulary = document.at("model").at("vocab");
  std::vector<std::string> pieces(vocabulary.size());
  std::vector<bool> seen(pieces.size());
  for (const auto& [piece, id] : vocabulary.items()) {
    const auto place = id.get<uint64_t>();
    if (place >= pieces.size() || seen[place]) {
      throw StoreError(vmr::detail::concat("open_tokenizer: ", source, ": the piece ", piece,
                                           " has id ", place, ", expected ", pieces.size(),
                                           " different ids from 0 on"));
    }
    pieces[place] = piece;
    seen[place] = true;
  }
  return pieces;
}

void read_word_piece_settings(const Json& document, WordPieceOptions& options) {
  const auto& model = document.at("model");
  options.unknown = model.value("unk_token", options.unknown);
  options.continuation = model.value("continuing_subword_prefix", options.continuation);
  options.max_word_characters = model.value("max_input_chars_per_word", int64_t{100});
  const auto normalizer = document.value("normalizer", Json());
  if (type_of(normalizer) != "BertNormalizer") return;
  options.lower_case = normalizer.value("lowercase", options.lower_case);
  options.split_ideographs = normalizer.value("handle_chinese_chars", options.split_ideographs);
  if (normalizer.contains("strip_accents") && normalizer["strip_accents"].is_boolean()) {
    options.strip_accents = normalizer["strip_accents"].get<bool>();
  }
}

std::string unigram_model(const Json& document, const std::string& source) {
  const auto& model = document.at("model");
  VMR_CHECK(!model.value("byte_fallback", false), "open_tokenizer: ", source,
            ": byte_fallback is not read");
  std::set<std::string> special;
  for (const auto& token : document.value("added_tokens", Json::array())) {
    special.insert(token.at("content").get<std::string>());
  }
  const auto& vocabulary = model.at("vocab");
  const auto unknown = model.at("unk_id").get<size_t>();
  if (unknown >= vocabulary.size()) {
    throw StoreError(vmr::detail::concat("open_tokenizer: ", source, ": unk_id ", unknown, " of ",
                                         vocabulary.size(), " pieces"));
  }
  std::string out;
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    const auto text = vocabulary[i].at(0).get<std::string>();
    std::string piece;
    put_bytes(piece, 1, text);
    put_float(piece, 2, vocabulary[i].at(1).get<float>());
    put_number(piece, 3, i == unknown ? kUnknown : special.contains(text) ? kControl : kNormal);
    put_bytes(out, 1, piece);
  }
  std::string trainer;
  put_number(trainer, 3, 1);  // model_type: unigram
  put_number(trainer, 40, unknown);
  put_bytes(trainer, 45, vocabulary[unknown].at(0).get<std::string>());
  put_bytes(out, 2, trainer);
  std::string normalizer;
  put_bytes(normalizer, 1, "tokenizer.json");
  put_bytes(normalizer, 2, character_map(document.value("normalizer", Json()), source));
  for (const int field : {3, 4, 5}) put_number(normalizer, field, 1);  // the treatment of spaces
  put_bytes(out, 3, normalizer);
  return out;
}

}  // namespace vmr::text::detail
