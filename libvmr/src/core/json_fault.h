// What is wrong with a JSON text, without the parser's names for its own parts:
// "line 2, column 15: unexpected end of input; expected '}'".
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vmr::detail {

inline std::string json_fault(const nlohmann::json::exception& error) {
  // "[json.exception.parse_error.101] parse error at line 2, column 15: syntax error while parsing
  // object - unexpected end of input; expected '}'"
  std::string text = error.what();
  text.erase(0, text.find("] ") + 2);
  for (const std::string noise : {"parse error at ", "parse error: "}) {
    if (text.starts_with(noise)) text.erase(0, noise.size());
  }
  const auto syntax = text.find("syntax error while parsing ");
  const auto dash = text.find(" - ", syntax);
  if (syntax != text.npos && dash != text.npos) text.erase(syntax, dash + 3 - syntax);
  return text;
}

}  // namespace vmr::detail
