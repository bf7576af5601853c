// Names of files and tracks as text that keeps to its line: file names are any bytes.
#pragma once

#include <string>
#include <string_view>

namespace vmr::apps {

// For tables and messages: bytes that are not UTF-8 and control characters as \xHH, line feeds and
// tabs as \n and \t. Bytes that libvmr's JSON carries as U+10FF80 to U+10FFFF are shown as they are
// in the name: \xHH.
std::string printable(std::string_view text);
// For JSON, which has its own way with control characters: bytes that are not UTF-8 as \xHH.
std::string utf8(std::string_view text);

}  // namespace vmr::apps
