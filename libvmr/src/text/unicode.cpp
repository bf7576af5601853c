#include "text/unicode.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

#include "vmr/core/error.h"

namespace vmr::text::detail {
namespace {

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};

utf8proc_category_t category(char32_t point) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(point));
}

}  // namespace

std::u32string code_points(std::string_view text) {
  std::u32string points;
  points.reserve(text.size());
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const auto size = static_cast<utf8proc_ssize_t>(text.size());
  for (utf8proc_ssize_t at = 0; at < size;) {
    utf8proc_int32_t point = 0;
    const auto used = utf8proc_iterate(bytes + at, size - at, &point);
    VMR_CHECK(used > 0, "tokenizer: expected UTF-8, got something else at byte ", at,
              "; convert the text first");
    points.push_back(static_cast<char32_t>(point));
    at += used;
  }
  return points;
}

std::string to_utf8(std::u32string_view points) {
  std::string text;
  text.reserve(points.size());
  for (const char32_t point : points) {
    utf8proc_uint8_t bytes[4];
    const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(point), bytes);
    text.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  }
  return text;
}

std::u32string decompose(std::u32string_view points) {
  const auto text = to_utf8(points);
  utf8proc_uint8_t* memory = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &memory,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, FreeMemory> owner(memory);
  VMR_ASSERT(size >= 0, "decompose: ", utf8proc_errmsg(size));
  return code_points({reinterpret_cast<const char*>(memory), static_cast<size_t>(size)});
}

std::u32string lower(std::u32string_view points) {
  std::u32string result;
  result.reserve(points.size());
  for (const char32_t point : points) {
    if (point == 0x130) {  // the one lower-case form of two characters: i and a dot above
      result += U"i\u0307";
    } else {
      result.push_back(
          static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(point))));
    }
  }
  return result;
}

bool is_other(char32_t point) {
  const auto kind = category(point);
  return kind == UTF8PROC_CATEGORY_CC || kind == UTF8PROC_CATEGORY_CF ||
         kind == UTF8PROC_CATEGORY_CO || kind == UTF8PROC_CATEGORY_CS;
}

bool is_punctuation(char32_t point) {
  const auto kind = category(point);
  return kind >= UTF8PROC_CATEGORY_PC && kind <= UTF8PROC_CATEGORY_PO;
}

bool is_nonspacing_mark(char32_t point) { return category(point) == UTF8PROC_CATEGORY_MN; }

}  // namespace vmr::text::detail
