#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "vmr/audio/rhythm.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

constexpr std::string_view kHeader = "#aid\tn_beat\tbeat_strength\tbeat_interval\n";

std::string shortest(float value) {
  if (std::isnan(value)) return "nan";
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  std::string text(digits.data(), end);
  // As Python prints it: 2.0 and not 2.
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

std::string write_rhythm_text(const std::vector<RhythmEntry>& entries) {
  std::string text(kHeader);
  for (const auto& entry : entries) {
    VMR_CHECK(!entry.id.empty() && entry.id[0] != '#' &&
                  entry.id.find_first_of(" \t\r\n\v\f") == std::string::npos,
              "write_rhythm_text: the id \"", entry.id,
              "\" is empty, begins with # or has white space; readers split lines at it");
    VMR_CHECK(entry.measures.defined() && entry.measures.dim() == 2 && entry.measures.size(1) == 3,
              "write_rhythm_text: expected measures [clips, 3] for ", entry.id);
    const auto rows = entry.measures.to(at::kCPU, at::kFloat).contiguous();
    const auto* row = rows.const_data_ptr<float>();
    for (int64_t i = 0; i < rows.size(0); ++i, row += 3)
      text += entry.id + '\t' + std::to_string(std::lround(row[0])) + '\t' + shortest(row[1]) +
              '\t' + shortest(row[2]) + '\n';
  }
  return text;
}

}  // namespace vmr::audio
