// Comparing names without regard to case: A to Z become small, other bytes stay as they are, in any
// locale.
#pragma once

#include <string>
#include <string_view>

namespace vmr::detail {

inline std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace vmr::detail
