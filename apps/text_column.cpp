#include "text_column.h"

#include <algorithm>

#include "printable.h"

namespace vmr::apps {
namespace {

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

size_t characters(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string shortened(const std::string& text, size_t most) {
  if (characters(text) <= most) return text;
  size_t bytes = 0;
  for (size_t seen = 0; bytes < text.size(); ++bytes) {
    if (begins_character(text[bytes]) && seen++ == most - 1) break;
  }
  return text.substr(0, bytes) + "…";
}

}  // namespace

std::vector<std::string> text_column(const std::string& heading, std::vector<std::string> texts,
                                     size_t most) {
  texts.insert(texts.begin(), heading);
  size_t width = 0;
  for (auto& text : texts) {
    text = shortened(printable(text), most);
    width = std::max(width, characters(text));
  }
  for (auto& text : texts) text.append(width - characters(text), ' ');
  return texts;
}

}  // namespace vmr::apps
