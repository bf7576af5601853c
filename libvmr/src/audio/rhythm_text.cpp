#include <cmath>
#include <string_view>

#include "core/statistics_text.h"
#include "vmr/audio/rhythm.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

constexpr std::string_view kHeader = "#aid\tn_beat\tbeat_strength\tbeat_interval\n";

}  // namespace

std::string write_rhythm_text(const std::vector<RhythmEntry>& entries) {
  std::string text(kHeader);
  for (const auto& entry : entries) {
    VMR_CHECK(detail::is_line_id(entry.id), "write_rhythm_text: the id \"", entry.id,
              "\" is empty, begins with # or has white space; readers split lines at it");
    VMR_CHECK(entry.measures.defined() && entry.measures.dim() == 2 && entry.measures.size(1) == 3,
              "write_rhythm_text: expected measures [clips, 3] for ", entry.id);
    const auto rows = entry.measures.to(at::kCPU, at::kFloat).contiguous();
    const auto* row = rows.const_data_ptr<float>();
    for (int64_t i = 0; i < rows.size(0); ++i, row += 3)
      text += entry.id + '\t' + std::to_string(std::lround(row[0])) + '\t' +
              detail::shortest(row[1]) + '\t' + detail::shortest(row[2]) + '\n';
  }
  return text;
}

}  // namespace vmr::audio
