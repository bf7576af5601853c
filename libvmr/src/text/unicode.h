// The properties of characters a tokenizer asks for, from utf8proc. In a build without it every
// function throws NotBuilt naming the switch.
#pragma once

#include <string>
#include <string_view>

namespace vmr::text::detail {

// Throws: InvalidArgument with the byte at which UTF-8 ends.
std::u32string code_points(std::string_view text);
std::string to_utf8(std::u32string_view points);

// Normalisation form D: composed characters become base characters and marks.
std::u32string decompose(std::u32string_view points);
// Lower case, character by character.
std::u32string lower(std::u32string_view points);

// Control, format, private use and surrogate: categories Cc, Cf, Co, Cs.
bool is_other(char32_t point);
// Categories P*.
bool is_punctuation(char32_t point);
// Category Mn: accents after decompose().
bool is_nonspacing_mark(char32_t point);

}  // namespace vmr::text::detail
