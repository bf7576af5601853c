// text/unigram.h in a build without sentencepiece.
#include "text/unigram.h"
#include "vmr/core/error.h"

namespace vmr::text::detail {

std::unique_ptr<Tokenizer> make_unigram(const std::string&, UnigramIds, SpecialTokens,
                                        const std::string& source) {
  throw NotBuilt("open_tokenizer: " + source +
                 " needs sentencepiece, built without (VMR_WITH_SENTENCEPIECE=OFF); install "
                 "libsentencepiece-dev and configure with -DVMR_WITH_SENTENCEPIECE=ON");
}

}  // namespace vmr::text::detail
