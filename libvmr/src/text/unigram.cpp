#include "text/unigram.h"

#include <sentencepiece_processor.h>

#include "vmr/core/error.h"

namespace vmr::text::detail {
namespace {

constexpr const char* kFairseqFirst[] = {"<s>", "<pad>", "</s>", "<unk>"};

class Unigram final : public Tokenizer {
 public:
  Unigram(const std::string& model, UnigramIds ids, SpecialTokens special,
          const std::string& source)
      : ids_(ids), special_(ids == UnigramIds::fairseq ? SpecialTokens{0, 2, 1, 3} : special) {
    const auto status = processor_.LoadFromSerializedProto(model);
    if (!status.ok()) {
      throw StoreError("open_tokenizer: " + source +
                       " is no sentencepiece model: " + status.ToString());
    }
  }

  std::string piece(int64_t id) const override {
    VMR_CHECK(id >= 0 && id < size(), "Tokenizer::piece: id ", id, ", expected in [0, ", size(),
              ")");
    if (ids_ == UnigramIds::same) return processor_.IdToPiece(static_cast<int>(id));
    if (id < 4) return kFairseqFirst[id];
    return id + 1 == size() ? "<mask>" : processor_.IdToPiece(static_cast<int>(id - 1));
  }

  // <pad> and <mask> are not in the model.
  int64_t size() const override {
    return processor_.GetPieceSize() + (ids_ == UnigramIds::fairseq ? 2 : 0);
  }

  SpecialTokens special() const override { return special_; }

 protected:
  std::vector<int64_t> encode_pieces(std::string_view text) const override {
    std::vector<int> numbers;
    const auto status = processor_.Encode({text.data(), text.size()}, &numbers);
    VMR_ASSERT(status.ok(), "Tokenizer::encode: ", status.ToString());
    std::vector<int64_t> ids;
    ids.reserve(numbers.size());
    for (const int number : numbers) {
      const bool unknown = processor_.IsUnknown(number);
      ids.push_back(unknown ? special_.unknown : number + (ids_ == UnigramIds::fairseq ? 1 : 0));
    }
    return ids;
  }

 private:
  sentencepiece::SentencePieceProcessor processor_;
  UnigramIds ids_;
  SpecialTokens special_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_unigram(const std::string& model, UnigramIds ids,
                                        SpecialTokens special, const std::string& source) {
  return std::make_unique<Unigram>(model, ids, special, source);
}

}  // namespace vmr::text::detail
