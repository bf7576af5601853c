// Words and numbers of the statistics text of the published UT-CMVMR code, whose readers split
// lines at white space.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace vmr::detail {

// Whether a text can be the first word of a line that is no comment.
inline bool is_line_id(const std::string& text) {
  return !text.empty() && text[0] != '#' && text.find_first_of(" \t\r\n\v\f") == std::string::npos;
}

// The shortest decimal that reads back as the same float32, nan for undefined.
inline std::string shortest(float value) {
  if (std::isnan(value)) return "nan";
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  std::string text(digits.data(), end);
  // As Python prints it: 2.0 and not 2.
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

}  // namespace vmr::detail
