#include "text/word_piece.h"

#include <algorithm>

#include "text/unicode.h"
#include "vmr/core/error.h"

namespace vmr::text::detail {
namespace {

// Unicode's White_Space.
bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// Chinese characters; kana and hangul are written in words and are not among them.
bool is_ideograph(char32_t c) {
  constexpr std::pair<char32_t, char32_t> kRanges[] = {
      {0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
      {0x2B740, 0x2B81F}, {0x2B820, 0x2CEAF}, {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F}};
  return std::any_of(std::begin(kRanges), std::end(kRanges),
                     [&](const auto& range) { return c >= range.first && c <= range.second; });
}

// All of ASCII that is neither letter, digit, space nor control counts, "$" and "+" among it.
bool splits_words(char32_t c) {
  if (c < 0x80) {
    return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) ||
           (c >= 123 && c <= 126);
  }
  return is_punctuation(c);
}

std::u32string clean(std::string_view text, bool split_ideographs) {
  std::u32string result;
  for (const char32_t c : code_points(text)) {
    const bool line = c == U'\t' || c == U'\n' || c == U'\r';
    if (c == 0 || c == 0xFFFD || (!line && is_other(c))) continue;
    if (is_white_space(c)) {
      result.push_back(U' ');
    } else if (split_ideographs && is_ideograph(c)) {
      result += {U' ', c, U' '};
    } else {
      result.push_back(c);
    }
  }
  return result;
}

class WordPiece final : public Tokenizer {
 public:
  WordPiece(std::vector<std::string> vocabulary, WordPieceOptions options,
            const std::string& source)
      : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {
    for (size_t i = 0; i < vocabulary_.size(); ++i) {
      ids_[vocabulary_[i]] = static_cast<int64_t>(i);
      longest_ = std::max(longest_, vocabulary_[i].size());
    }
    const auto find = [&](const std::string& token) {
      const auto place = ids_.find(token);
      if (place == ids_.end()) {
        throw StoreError(vmr::detail::concat("open_tokenizer: ", source, ": the special token ",
                                             token, " is not in the vocabulary of ",
                                             vocabulary_.size()));
      }
      return place->second;
    };
    special_ = {find(options_.begin), find(options_.end), find(options_.pad),
                find(options_.unknown)};
    // Without utf8proc say so now and not at the first text.
    code_points("");
  }

  std::string piece(int64_t id) const override {
    VMR_CHECK(id >= 0 && id < size(), "Tokenizer::piece: id ", id, ", expected in [0, ", size(),
              ")");
    return vocabulary_[static_cast<size_t>(id)];
  }
  int64_t size() const override { return static_cast<int64_t>(vocabulary_.size()); }
  SpecialTokens special() const override { return special_; }

 protected:
  std::vector<int64_t> encode_pieces(std::string_view text) const override {
    std::vector<int64_t> ids;
    for (const auto& word : basic_words(text, options_)) append_pieces(word, ids);
    return ids;
  }

 private:
  // The longest piece each time; a word that cannot be cut to its end is unknown as a whole.
  void append_pieces(const std::u32string& word, std::vector<int64_t>& ids) const {
    const size_t before = ids.size();
    size_t begin = 0;
    if (static_cast<int64_t>(word.size()) > options_.max_word_characters) begin = word.npos;
    while (begin < word.size()) {
      std::string candidate = begin == 0 ? "" : options_.continuation;
      std::vector<size_t> ends;  // bytes of the candidate after each character
      for (size_t i = begin; i < word.size() && candidate.size() <= longest_; ++i) {
        candidate += to_utf8({&word[i], 1});
        ends.push_back(candidate.size());
      }
      auto found = ids_.end();
      while (!ends.empty() && found == ids_.end()) {
        candidate.resize(ends.back());
        found = ids_.find(candidate);
        if (found == ids_.end()) ends.pop_back();
      }
      if (found == ids_.end()) break;
      ids.push_back(found->second);
      begin += ends.size();
    }
    if (begin == word.size()) return;
    ids.resize(before);
    ids.push_back(special_.unknown);
  }

  std::vector<std::string> vocabulary_;
  WordPieceOptions options_;
  std::unordered_map<std::string, int64_t> ids_;
  size_t longest_ = 0;  // bytes
  SpecialTokens special_;
};

}  // namespace

std::vector<std::u32string> basic_words(std::string_view text, const WordPieceOptions& options) {
  auto points = clean(text, options.split_ideographs);
  if (options.strip_accents.value_or(options.lower_case)) {
    points = decompose(points);
    std::erase_if(points, is_nonspacing_mark);
  }
  if (options.lower_case) points = lower(points);
  std::vector<std::u32string> words;
  bool inside = false;  // of a word
  for (const char32_t c : points) {
    const bool space = is_white_space(c), alone = splits_words(c);
    if (!space && (alone || !inside)) words.emplace_back();
    if (!space) words.back().push_back(c);
    inside = !space && !alone;
  }
  return words;
}

std::unique_ptr<Tokenizer> make_word_piece(std::vector<std::string> vocabulary,
                                           WordPieceOptions options, const std::string& source) {
  return std::make_unique<WordPiece>(std::move(vocabulary), std::move(options), source);
}

}  // namespace vmr::text::detail
