// text/unicode.h in a build without utf8proc.
#include "text/unicode.h"
#include "vmr/core/error.h"

namespace vmr::text::detail {
namespace {

[[noreturn]] void fail() {
  throw NotBuilt(
      "tokenizer: built without utf8proc (VMR_WITH_UTF8PROC=OFF); install libutf8proc-dev and "
      "configure with -DVMR_WITH_UTF8PROC=ON");
}

}  // namespace

std::u32string code_points(std::string_view) { fail(); }
std::string to_utf8(std::u32string_view) { fail(); }
std::u32string decompose(std::u32string_view) { fail(); }
std::u32string lower(std::u32string_view) { fail(); }
bool is_other(char32_t) { fail(); }
bool is_punctuation(char32_t) { fail(); }
bool is_nonspacing_mark(char32_t) { fail(); }

}  // namespace vmr::text::detail
