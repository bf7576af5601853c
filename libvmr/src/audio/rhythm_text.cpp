#include <ATen/ops/empty.h>

#include <array>
#include <charconv>
#include <cmath>
#include <map>

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

float to_number(std::string_view text, int64_t line) {
  float value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  VMR_CHECK(code == std::errc() && end == text.data() + text.size() && !std::isinf(value),
            "read_rhythm_text: line ", line, ": expected a number or nan, got \"", text, "\"");
  return value;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::string write_rhythm_text(const std::vector<RhythmEntry>& entries) {
  std::string text(kHeader);
  for (const auto& entry : entries) {
    VMR_CHECK(!entry.id.empty() && entry.id[0] != '#' &&
                  entry.id.find_first_of("\t\r\n") == std::string::npos,
              "write_rhythm_text: the id \"", entry.id,
              "\" is empty, begins with # or has a tab or a line end");
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

std::vector<RhythmEntry> read_rhythm_text(std::string_view text) {
  std::vector<std::string> ids;
  std::map<std::string, std::vector<float>, std::less<>> values;
  int64_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line[0] == '#') continue;
    const auto columns = split(line, '\t');
    VMR_CHECK(columns.size() == 4, "read_rhythm_text: line ", number,
              ": expected 4 tab separated columns, got ", columns.size());
    auto found = values.find(columns[0]);
    if (found == values.end()) {
      ids.emplace_back(columns[0]);
      found = values.emplace(columns[0], std::vector<float>()).first;
    }
    for (size_t i = 1; i < 4; ++i) found->second.push_back(to_number(columns[i], number));
  }
  std::vector<RhythmEntry> entries;
  for (const auto& id : ids) {
    const auto& rows = values.find(id)->second;
    auto measures = at::empty({static_cast<int64_t>(rows.size() / 3), 3}, at::kFloat);
    std::copy(rows.begin(), rows.end(), measures.mutable_data_ptr<float>());
    entries.push_back({id, measures});
  }
  return entries;
}

}  // namespace vmr::audio
