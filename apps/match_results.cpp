#include "match_results.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "text_column.h"

namespace vmr::apps {
namespace {

constexpr size_t kIdWidth = 40, kTitleWidth = 60;
constexpr std::array<std::string_view, 5> kFitParts = {"beats_on_cuts", "beats_on_motion", "energy",
                                                       "sections", "chance"};

// "content 0.76 x 0.60, mood 0.91 x 0.40, fit 2.0 x 0.05, from 3.0 s"
std::string reasons(const retrieval::Hit& hit, double sync_weight) {
  std::string text;
  char piece[96];
  const auto add = [&] { text += (text.empty() ? "" : ", ") + std::string(piece); };
  const auto fit = hit.metadata.find("synchronisation");
  const bool fitted = fit != hit.metadata.end();
  for (const auto& part : hit.parts) {
    if (fitted && std::find(kFitParts.begin(), kFitParts.end(), part.name) != kFitParts.end()) {
      continue;
    }
    std::snprintf(piece, sizeof piece, "%s %.2f x %.2f", part.name.c_str(), part.value,
                  part.weight);
    add();
  }
  if (fitted) {
    std::snprintf(piece, sizeof piece, "fit %.1f x %g", fit->value("score", 0.0), sync_weight);
    add();
  }
  if (fitted || hit.offset_seconds != 0) {
    std::snprintf(piece, sizeof piece, "from %.1f s", hit.offset_seconds);
    add();
  }
  return text;
}

}  // namespace

void print_matches(const std::vector<retrieval::Hit>& hits, double sync_weight) {
  std::vector<std::string> ids, titles;
  for (const auto& hit : hits) {
    ids.push_back(hit.id);
    titles.push_back(hit.metadata.value("title", ""));
  }
  ids = text_column("track", ids, kIdWidth);
  titles = text_column("title", titles, kTitleWidth);
  std::printf("rank  %s  %s  %7s  because\n", ids[0].c_str(), titles[0].c_str(), "score");
  for (size_t i = 0; i < hits.size(); ++i) {
    std::printf("%4zu  %s  %s  %7.3f  %s\n", i + 1, ids[i + 1].c_str(), titles[i + 1].c_str(),
                hits[i].score, reasons(hits[i], sync_weight).c_str());
  }
}

}  // namespace vmr::apps
