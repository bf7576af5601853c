// Pins the tokenizers: WordPiece by hand and over all of Unicode against the package tokenizers,
// XLM-R's ids against transformers, both ways of storing a vocabulary, truncation, and what is said
// of folders that cannot be read.
#include "vmr/text/tokenizer.h"

#include "model_folder.h"
#include "text/unicode.h"
#include "text/word_piece.h"
#include "vmr/core/hash.h"

namespace vmr::text {
namespace {

using namespace vmr::test;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kWords =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\nwant\n##ed\n##e\ncafe\ncafé\n,\nCafé\n雨\n##"
    "雨\n"
    "[\nsep\n]\nа\n##\n";

class WordPieceTest : public testing::Test {
 protected:
  void SetUp() override {
    VMR_NEEDS(kBuiltUtf8proc, "utf8proc");
    folder.write("vocab.txt", kWords);
  }

  std::vector<std::string> pieces(const std::string& text, int64_t max_tokens = 0) {
    const auto tokenizer = open_tokenizer(folder.path());
    std::vector<std::string> result;
    for (const auto id : tokenizer->encode(text, max_tokens)) {
      result.push_back(tokenizer->piece(id));
    }
    return result;
  }

  ModelFolder folder;
};

TEST_F(WordPieceTest, CutsWordsIntoTheLongestPieces) {
  EXPECT_THAT(pieces("UNaffable wanted,Café"),
              ElementsAre("[CLS]", "un", "##aff", "##able", "want", "##ed", ",", "cafe", "[SEP]"));
  const auto tokenizer = open_tokenizer(folder.path());
  EXPECT_THAT(tokenizer->encode("wanted"), ElementsAre(2, 7, 8, 3));
  EXPECT_EQ(tokenizer->size(), 21);
  EXPECT_EQ(tokenizer->special().pad, 0);
  EXPECT_EQ(tokenizer->special().unknown, 1);
}

TEST_F(WordPieceTest, AWordThatDoesNotEndInAPieceIsUnknownAsAWhole) {
  EXPECT_THAT(pieces("unwant un want"), ElementsAre("[CLS]", "[UNK]", "un", "want", "[SEP]"));
  std::string hundred = "un";
  while (hundred.size() < 98) hundred += "aff";
  hundred += "ed";
  ASSERT_EQ(hundred.size(), 100u);
  EXPECT_EQ(pieces(hundred).size(), 2 + 1 + 32 + 1u);
  EXPECT_THAT(pieces(hundred + "e"), ElementsAre("[CLS]", "[UNK]", "[SEP]"));
}

TEST_F(WordPieceTest, IdeographsStandAlone) {
  EXPECT_THAT(pieces("un雨雨un"), ElementsAre("[CLS]", "un", "雨", "雨", "un", "[SEP]"));
  folder.write("tokenizer_config.json", json{{"tokenize_chinese_chars", false}});
  EXPECT_THAT(pieces("雨雨"), ElementsAre("[CLS]", "雨", "##雨", "[SEP]"));
}

TEST_F(WordPieceTest, CaseAndAccentsAreTheFoldersChoice) {
  const auto with = [&](const json& config) {
    folder.write("tokenizer_config.json", config);
    return pieces("Café CAFE\u0301")[1];
  };
  EXPECT_EQ(with(json::object()), "cafe");
  EXPECT_EQ(with({{"do_lower_case", false}}), "Café");
  EXPECT_EQ(with({{"strip_accents", false}}), "café");
  EXPECT_EQ(with({{"do_lower_case", false}, {"strip_accents", true}}), "[UNK]");  // Cafe
}

TEST_F(WordPieceTest, TruncationKeepsBeginAndEnd) {
  EXPECT_THAT(pieces("un want cafe", 4), ElementsAre("[CLS]", "un", "want", "[SEP]"));
  EXPECT_THAT(pieces("un want cafe", 5), ElementsAre("[CLS]", "un", "want", "cafe", "[SEP]"));
  EXPECT_THAT(pieces("un want cafe", 2), ElementsAre("[CLS]", "[SEP]"));
  EXPECT_THAT(pieces(""), ElementsAre("[CLS]", "[SEP]"));
  EXPECT_THROW(pieces("un", 1), InvalidArgument);
}

TEST_F(WordPieceTest, SpecialTokensInATextAreText) {
  EXPECT_THAT(pieces("[SEP]"), ElementsAre("[CLS]", "[", "sep", "]", "[SEP]"));
}

TEST_F(WordPieceTest, MpnetHasOtherSpecialTokens) {
  folder.write("vocab.txt", "<s>\n<pad>\n</s>\n<unk>\n" + kWords + "<mask>\n");
  folder.write("tokenizer_config.json", json{{"cls_token", {{"content", "<s>"}}},
                                             {"sep_token", "</s>"},
                                             {"pad_token", "<pad>"},
                                             {"unk_token", "[UNK]"}});
  const auto tokenizer = open_tokenizer(folder.path());
  EXPECT_THAT(tokenizer->encode("want x"), ElementsAre(0, 11, 5, 2));
  EXPECT_EQ(tokenizer->special().pad, 1);
}

TEST_F(WordPieceTest, ReadsTokenizerJsonAlone) {
  json vocabulary;
  std::istringstream lines(kWords);
  int id = 0;
  for (std::string line; std::getline(lines, line);) vocabulary[line] = id++;
  const json document = {
      {"normalizer",
       {{"type", "BertNormalizer"}, {"lowercase", false}, {"strip_accents", nullptr}}},
      {"model", {{"type", "WordPiece"}, {"unk_token", "[UNK]"}, {"vocab", vocabulary}}}};
  folder.remove("vocab.txt");
  folder.write("tokenizer.json", document);
  EXPECT_THAT(pieces("Café unaffable UN"),
              ElementsAre("[CLS]", "Café", "un", "##aff", "##able", "[UNK]", "[SEP]"));
  // tokenizer_config.json has the last word.
  folder.write("tokenizer_config.json", json{{"do_lower_case", true}});
  EXPECT_THAT(pieces("UN"), ElementsAre("[CLS]", "un", "[SEP]"));
  vocabulary["hole"] = 99;
  folder.write("tokenizer.json", json{{"model", {{"type", "WordPiece"}, {"vocab", vocabulary}}}});
  EXPECT_THAT(message_of<StoreError>([&] { open_tokenizer(folder.path()); }),
              AllOf(HasSubstr("hole"), HasSubstr("99")));
}

// The words of "a" + character + "b" for every character of which the package knows what Unicode 14
// says; its tables end in 2015.
TEST(BasicWords, AgreeWithThePackageOverAllOfUnicode) {
  VMR_NEEDS(kBuiltUtf8proc, "utf8proc");
  const auto expected = golden_json("unicode.json");
  std::vector<bool> skipped(0x110000);
  for (const auto& range : expected.at("skipped")) {
    for (int c = range[0]; c < range[1]; ++c) skipped[c] = true;
  }
  const std::map<std::string, detail::WordPieceOptions> settings = {
      {"lower", {}}, {"cased", {.lower_case = false}}, {"accents", {.strip_accents = false}}};
  int64_t known = 0;
  for (const auto& [name, options] : settings) {
    std::map<std::string, Sha256> blocks;
    for (char32_t c = 0; c < 0x110000; ++c) {
      if (skipped[c]) continue;
      ++known;
      std::string line;
      const auto text = detail::to_utf8(std::u32string{U'a', c, U'b'});
      for (const auto& word : detail::basic_words(text, options)) {
        line += (line.empty() ? "" : "|") + detail::to_utf8(word);
      }
      blocks[std::to_string(c >> 12)].update(line + "\n");
    }
    const auto& hashes = expected.at("hashes").at(name);
    ASSERT_EQ(blocks.size(), hashes.size());
    for (auto& [block, hash] : blocks) {
      EXPECT_EQ(hash.hex().substr(0, 16), hashes.at(block)) << name << ", block " << block;
    }
  }
  EXPECT_EQ(known, 3 * expected.at("known").get<int64_t>());
}

class UnigramTest : public testing::Test {
 protected:
  void SetUp() override { VMR_NEEDS(kBuiltSentencepiece, "sentencepiece"); }

  // Texts whose ids differ from the package's, but for those in which its two versions disagree.
  std::vector<std::string> wrong_texts() const {
    const auto tokenizer = open_tokenizer(folder.path());
    const auto texts = golden_texts();
    EXPECT_EQ(texts.size(), expected.at("ids").size());
    std::vector<std::string> wrong;
    for (size_t i = 0; i < texts.size(); ++i) {
      if (tokenizer->encode(texts[i]) != expected["ids"][i].get<std::vector<int64_t>>()) {
        wrong.push_back(texts[i]);
      }
    }
    return wrong;
  }

  ModelFolder folder;
  json expected = golden_json("unigram/ids.json");
};

TEST_F(UnigramTest, GivesXlmRsIds) {
  folder.copy(golden_path("unigram/sentencepiece.bpe.model"));
  EXPECT_THAT(wrong_texts(), ElementsAre());
  const auto tokenizer = open_tokenizer(folder.path());
  EXPECT_EQ(tokenizer->size(), expected["size"]);
  const auto ids = tokenizer->encode("calm 🎹");
  EXPECT_EQ(ids.front(), 0);
  EXPECT_EQ(ids.back(), 2);
  EXPECT_EQ(ids[ids.size() - 2], 3);  // unknown
  EXPECT_EQ(tokenizer->special().pad, 1);
  EXPECT_EQ(tokenizer->piece(1), "<pad>");
  EXPECT_EQ(tokenizer->piece(ids[1]).substr(0, 3), "▁");
  EXPECT_EQ(tokenizer->piece(tokenizer->size() - 1), "<mask>");
  EXPECT_EQ(tokenizer->encode(golden_texts()[2], 7).size(), 7u);
  EXPECT_EQ(tokenizer->encode(golden_texts()[2], 7).back(), 2);
  EXPECT_THROW(tokenizer->piece(tokenizer->size()), InvalidArgument);
}

TEST_F(UnigramTest, ReadsTokenizerJsonAlone) {
  folder.copy(golden_path("unigram/tokenizer.json"));
  EXPECT_THAT(wrong_texts(), ElementsAre());
  EXPECT_EQ(open_tokenizer(folder.path())->size(), expected["size"]);
}

TEST_F(UnigramTest, SaysWhatIsWrongWithAModel) {
  folder.write("sentencepiece.bpe.model", std::string("no model"));
  EXPECT_THAT(message_of<StoreError>([&] { open_tokenizer(folder.path()); }),
              HasSubstr("sentencepiece.bpe.model is no sentencepiece model"));
  folder.remove("sentencepiece.bpe.model");
  auto document = golden_json("unigram/tokenizer.json");
  document["normalizer"] = {{"type", "NFKC"}};
  folder.write("tokenizer.json", document);
  EXPECT_THAT(message_of<InvalidArgument>([&] { open_tokenizer(folder.path()); }),
              AllOf(HasSubstr("NFKC"), HasSubstr("sentencepiece.bpe.model")));
  document["model"].erase("unk_id");
  folder.write("tokenizer.json", document);
  EXPECT_THAT(message_of<StoreError>([&] { open_tokenizer(folder.path()); }), HasSubstr("unk_id"));
}

TEST(OpenTokenizer, SaysWhatItLookedForAndWhatItCannotRead) {
  ModelFolder folder;
  EXPECT_THAT(message_of<StoreError>([&] { open_tokenizer(folder.path()); }),
              AllOf(HasSubstr("vocab.txt"), HasSubstr("sentencepiece.bpe.model")));
  folder.write("tokenizer.json", json{{"model", {{"type", "BPE"}}}});
  EXPECT_THAT(message_of<InvalidArgument>([&] { open_tokenizer(folder.path()); }),
              HasSubstr("\"BPE\""));
  folder.write("vocab.txt", std::string("[PAD]\n[UNK]\n[CLS]\n"));
  folder.write("tokenizer.json", json{{"model", {{"type", "WordPiece"}}}});
  EXPECT_THAT(message_of<StoreError>([&] { open_tokenizer(folder.path()); }), HasSubstr("[SEP]"));
}

TEST(OpenTokenizer, NamesTheSwitchOfAMissingLibrary) {
  ModelFolder folder;
  folder.write("vocab.txt", kWords);
  if (!vmr::detail::kBuiltUtf8proc) {
    EXPECT_THAT(message_of<NotBuilt>([&] { open_tokenizer(folder.path()); }),
                HasSubstr("VMR_WITH_UTF8PROC"));
  }
  folder.copy(golden_path("unigram/sentencepiece.bpe.model"));
  if (!vmr::detail::kBuiltSentencepiece) {
    EXPECT_THAT(message_of<NotBuilt>([&] { open_tokenizer(folder.path()); }),
                HasSubstr("VMR_WITH_SENTENCEPIECE"));
  }
}

}  // namespace
}  // namespace vmr::text
