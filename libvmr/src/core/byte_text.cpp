#include "core/byte_text.h"

#include <cstdint>

namespace vmr::detail {
namespace {

constexpr std::string_view kEscapeStart = "\xf4\x8f";

size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  if (byte(0) < 0x80) return 1;
  const size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xf0 && byte(1) < 0x90);
  const bool surrogate = byte(0) == 0xed && byte(1) > 0x9f;
  const bool too_high = byte(0) == 0xf4 && byte(1) > 0x8f;
  return overlong || surrogate || too_high ? 0 : length;
}

bool is_escape(std::string_view text) {
  return text.starts_with(kEscapeStart) && text.size() >= 4 &&
         static_cast<uint8_t>(text[2]) >= 0xbe;
}

}  // namespace

std::string escape_bytes(std::string_view line) {
  std::string escaped;
  while (!line.empty()) {
    const size_t length = utf8_length(line);
    if (length > 0) {
      escaped += line.substr(0, length);
    } else {
      const auto byte = static_cast<uint8_t>(line[0]);
      escaped += kEscapeStart;
      escaped += static_cast<char>(0xbc | (byte >> 6));
      escaped += static_cast<char>(0x80 | (byte & 0x3f));
    }
    line.remove_prefix(length > 0 ? length : 1);
  }
  return escaped;
}

std::string restore_bytes(std::string_view text) {
  std::string restored;
  while (!text.empty()) {
    if (is_escape(text)) {
      restored += static_cast<char>((text[2] & 3) << 6 | (text[3] & 0x3f));
      text.remove_prefix(4);
    } else {
      restored += text[0];
      text.remove_prefix(1);
    }
  }
  return restored;
}

bool has_escapes(std::string_view text) {
  for (size_t at = text.find(kEscapeStart); at != text.npos; at = text.find(kEscapeStart, at + 1)) {
    if (is_escape(text.substr(at))) return true;
  }
  return false;
}

}  // namespace vmr::detail
