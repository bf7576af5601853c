// Unigram segmentation behind vmr/text/tokenizer.h, by sentencepiece. In a build without it the
// makers throw NotBuilt naming the switch.
#pragma once

#include <memory>
#include <string>

#include "vmr/text/tokenizer.h"

namespace vmr::text::detail {

// How the numbers of a sentencepiece model become the ids of a checkpoint.
enum class UnigramIds {
  fairseq,  // number + 1; <s> 0, <pad> 1, </s> 2, <unk> 3; <mask> last
  same,     // the number itself
};

// model: a serialised sentencepiece ModelProto. special is used with UnigramIds::same.
// Throws: StoreError naming `source` where the model is damaged; NotBuilt.
std::unique_ptr<Tokenizer> make_unigram(const std::string& model, UnigramIds ids,
                                        SpecialTokens special, const std::string& source);

}  // namespace vmr::text::detail
