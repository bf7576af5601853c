// Tokenizers of published sentence encoders: a text becomes the ids of pieces its model was trained
// with, between a begin and an end token. Two kinds are read from the files they are published in:
//
//   WordPiece (BERT, MPNet)  vocab.txt, or tokenizer.json of type WordPiece. The text is cleaned of
//     control characters, lower-cased and stripped of accents (Unicode NFD) where the folder says
//     so, split at white space, punctuation and around each CJK ideograph, and each word is cut
//     into the longest pieces from its start. Wu et al., arXiv 1609.08144; Devlin et al.,
//     arXiv 1810.04805.
//   Unigram (XLM-R)  sentencepiece.bpe.model, or tokenizer.json of type Unigram: the most probable
//     segmentation under a unigram model (Kudo, arXiv 1804.10959). A model file numbers its pieces
//     as sentencepiece does; ids are its numbers + 1, with <s> 0, <pad> 1, </s> 2, <unk> 3, as the
//     checkpoints expect.
//
// Ids equal those of the Python package transformers, with two departures: a special token that
// stands in a text ("[SEP]", "</s>") is text here, so nobody's words can end a sequence; characters
// are what today's Unicode says, where the package's tables end in 2015.
// WordPiece needs a build with utf8proc, Unigram one with sentencepiece. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vmr::text {

struct SpecialTokens {
  int64_t begin = 0, end = 0, pad = 0, unknown = 0;
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // begin, pieces, end: at most max_tokens ids (0 = any number); the last pieces fall, begin and
  // end stay. "" gives begin and end.
  // Requires: max_tokens 0 or at least 2. Throws: InvalidArgument where `text` is no UTF-8.
  std::vector<int64_t> encode(std::string_view text, int64_t max_tokens = 0) const;

  // The piece an id stands for, as the vocabulary spells it: "##ing", "▁piano".
  // Throws: InvalidArgument for an id outside of [0, size()).
  virtual std::string piece(int64_t id) const = 0;
  // Ids are below this.
  virtual int64_t size() const = 0;
  virtual SpecialTokens special() const = 0;

 protected:
  // Without begin and end.
  virtual std::vector<int64_t> encode_pieces(std::string_view text) const = 0;
};

// Reads the tokenizer of a published folder. A vocabulary file of its own (sentencepiece.bpe.model,
// vocab.txt) is preferred to tokenizer.json; settings are those of tokenizer_config.json, else of
// tokenizer.json, else the published defaults.
// Throws: StoreError naming what was looked for or what is damaged; InvalidArgument for kinds that
// are not read (byte-level BPE); NotBuilt naming the switch of the library that is missing.
std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& folder);

}  // namespace vmr::text
