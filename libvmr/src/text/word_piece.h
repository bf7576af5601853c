// WordPiece behind vmr/text/tokenizer.h, made of a vocabulary and settings already read.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "vmr/text/tokenizer.h"

namespace vmr::text::detail {

struct WordPieceOptions {
  bool lower_case = true;
  std::optional<bool> strip_accents;  // as lower_case where not said
  bool split_ideographs = true;
  std::string begin = "[CLS]", end = "[SEP]", pad = "[PAD]", unknown = "[UNK]";
  std::string continuation = "##";  // before every piece of a word but its first
  int64_t max_word_characters = 100;
};

// vocabulary[i] is the piece of id i.
// Throws: StoreError naming `source` where a special token is not in the vocabulary; NotBuilt.
std::unique_ptr<Tokenizer> make_word_piece(std::vector<std::string> vocabulary,
                                           WordPieceOptions options, const std::string& source);

// The words of a text: cleaned, in the case asked for, split. What WordPiece cuts into pieces.
std::vector<std::u32string> basic_words(std::string_view text, const WordPieceOptions& options);

}  // namespace vmr::text::detail
