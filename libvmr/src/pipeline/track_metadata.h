// What a hit tells of its track.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/byte_text.h"
#include "vmr/store/manifest.h"

namespace vmr::pipeline::detail {

inline nlohmann::json metadata_of(const store::ManifestItem& item) {
  auto metadata = nlohmann::json::object();
  for (const auto& [key, value] : item.fields) {
    // Numbers stay numbers, so that filters can compare them; a title is text, also "1984".
    const auto parsed = nlohmann::json::parse(value, nullptr, false);
    metadata[key] = key != "title" && parsed.is_number() ? parsed : nlohmann::json(value);
  }
  metadata["tags"] = item.tags;
  // Imported items have features and no file.
  if (!item.path.empty()) {
    metadata["path"] = vmr::detail::escape_bytes(std::filesystem::absolute(item.path).string());
  }
  if (!item.split.empty()) metadata["split"] = item.split;
  if (!metadata.contains("title")) {
    metadata["title"] =
        item.path.empty() ? item.id : vmr::detail::escape_bytes(item.path.stem().string());
  }
  return metadata;
}

}  // namespace vmr::pipeline::detail
