#include "data/none_usable.h"

#include <set>

#include "vmr/core/error.h"

namespace vmr::data {

std::string none_usable(const store::Manifest& manifest, const std::string& kind,
                        const std::string& split, const std::vector<ItemFailure>& missing) {
  const auto items = manifest.of(kind, split);
  const std::string name = kind == "music" ? "track" : kind;
  if (!items.empty()) {
    std::string text =
        detail::concat("none of the ", items.size(), " ", name, "s",
                       split.empty() ? "" : " of split \"" + split + "\"", " can be used");
    for (size_t i = 0; i < missing.size() && i < 3; ++i) {
      text += "; " + missing[i].id + ": " + missing[i].reason;
    }
    return text;
  }
  std::set<std::string> splits;
  for (const auto* item : manifest.of(kind)) splits.insert(item->split);
  if (splits.empty()) return "the manifest has no " + name + "s";
  std::string known;
  for (const auto& other : splits) known += (known.empty() ? "\"" : ", \"") + other + "\"";
  return "no " + name + " has the split \"" + split + "\"; the splits are " + known;
}

}  // namespace vmr::data
