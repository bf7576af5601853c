#include "beats_output.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "shared.h"

namespace vmr::apps {
namespace {

// What only our own tracker knows.
void add_tracked(const audio::BeatResult& result, nlohmann::json& document) {
  document["confidence"] = result.confidence;
  document["beats_per_bar"] = result.beats_per_bar;
  document["down_beats_seconds"] = result.down_beats_seconds;
  auto& tempi = document["tempi"] = nlohmann::json::array();
  for (const auto& tempo : result.tempi)
    tempi.push_back({{"bpm", tempo.bpm}, {"probability", tempo.probability}});
}

void print_tracked(const audio::BeatResult& result) {
  std::printf("# confidence %.2f, %lld beats a bar (first beats marked 1), tempi:",
              result.confidence, static_cast<long long>(result.beats_per_bar));
  for (const auto& tempo : result.tempi)
    std::printf(" %.1f BPM (%.0f %%)", tempo.bpm, 100 * tempo.probability);
  std::printf("\n");
}

}  // namespace

void print_beats(const audio::BeatResult& result, const std::string& method, bool json) {
  const bool tracked = method == "tracker" || method == "stream";
  if (json) {
    nlohmann::json document = {{"tempo_bpm", result.tempo_bpm},
                               {"beats_seconds", result.beats_seconds},
                               {"method", method}};
    if (tracked) add_tracked(result, document);
    print_json(document);
    return;
  }
  if (result.beats_seconds.empty()) {
    std::printf("no beats found (%s)%s\n", method.c_str(),
                tracked ? ": no pulse, or too little sound" : "");
    return;
  }
  std::printf("%.2f BPM, %s (%s)\n", result.tempo_bpm,
              counted(int64_t(result.beats_seconds.size()), "beat").c_str(), method.c_str());
  if (tracked) print_tracked(result);
  const auto& down = result.down_beats_seconds;
  for (const double seconds : result.beats_seconds)
    std::printf("%.3f%s\n", seconds,
                std::binary_search(down.begin(), down.end(), seconds) ? " 1" : "");
}

}  // namespace vmr::apps
