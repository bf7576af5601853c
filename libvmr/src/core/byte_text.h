// File names are bytes, JSON is UTF-8. Bytes that are not UTF-8 travel through JSON as code points
// U+10FF80 to U+10FFFF, the last of the private ones, and back.
#pragma once

#include <string>
#include <string_view>

namespace vmr::detail {

// UTF-8 whatever comes; text that is UTF-8 is unchanged.
std::string escape_bytes(std::string_view text);
// The bytes that were escaped.
std::string restore_bytes(std::string_view text);
bool has_escapes(std::string_view text);

}  // namespace vmr::detail
