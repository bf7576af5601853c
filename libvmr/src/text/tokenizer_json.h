// What tokenizer.json (the format of the Python package tokenizers) says about the two kinds of
// vocabulary this area reads.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "text/word_piece.h"

namespace vmr::text::detail {

// Pieces by id. Throws: StoreError naming `source` for ids that are no 0, 1, 2 ...
std::vector<std::string> word_piece_vocabulary(const nlohmann::json& document,
                                               const std::string& source);

// Overwrites what the document says about case, accents, ideographs and words.
void read_word_piece_settings(const nlohmann::json& document, WordPieceOptions& options);

// The vocabulary and its normaliser as a sentencepiece ModelProto, in which a piece has the number
// that it has in the document. Special tokens are in it but match no text.
// Throws: StoreError naming `source` for damaged documents; InvalidArgument for normalisers and
// byte fall-back, which XLM-R's tokenizers do not have.
std::string unigram_model(const nlohmann::json& document, const std::string& source);

}  // namespace vmr::text::detail
