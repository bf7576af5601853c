#include "printable.h"

#include <cstdint>
#include <cstdio>

namespace vmr::apps {
namespace {

uint8_t byte(std::string_view text, size_t i) { return static_cast<uint8_t>(text[i]); }

// Bytes of the first character and what it is; 0 bytes where it is not UTF-8 (RFC 3629).
struct Character {
  size_t bytes = 0;
  uint32_t code = 0;
};

Character first_of(std::string_view text) {
  const uint8_t lead = byte(text, 0);
  if (lead < 0x80) return {1, lead};
  if (lead < 0xc2 || lead > 0xf4) return {};
  const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (text.size() < bytes) return {};
  uint32_t code = lead & (0x7f >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(text, i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(text, i) & 0x3f);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < kLeast[bytes] || code > 0x10ffff || surrogate) return {};
  return {bytes, code};
}

std::string hex(uint32_t value) {
  char text[8];
  std::snprintf(text, sizeof text, "\\x%02X", unsigned(value & 0xff));
  return text;
}

// Empty for what stays as it is.
std::string escape_of(uint32_t code) {
  if (code == '\n') return "\\n";
  if (code == '\t') return "\\t";
  const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
  return control || code >= 0x10ff80 ? hex(code) : "";
}

std::string escaped(std::string_view text, bool controls_too) {
  std::string result;
  while (!text.empty()) {
    const auto [bytes, code] = first_of(text);
    const auto escape = bytes == 0 ? hex(byte(text, 0)) : controls_too ? escape_of(code) : "";
    result += escape.empty() ? std::string(text.substr(0, bytes)) : escape;
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return result;
}

}  // namespace

std::string printable(std::string_view text) { return escaped(text, true); }
std::string utf8(std::string_view text) { return escaped(text, false); }

}  // namespace vmr::apps
