// A manifest as one JSON value, for keeping it inside stores and catalogues.
#pragma once

#include <nlohmann/json.hpp>

#include "core/byte_text.h"
#include "vmr/store/manifest.h"

namespace vmr::pipeline {

inline nlohmann::json manifest_to_json(const store::Manifest& manifest) {
  auto items = nlohmann::json::array();
  for (const auto& item : manifest.items) {
    items.push_back({{"id", item.id},
                     {"kind", item.kind},
                     {"path", vmr::detail::escape_bytes(item.path.string())},
                     {"track", item.track},
                     {"tags", item.tags},
                     {"split", item.split},
                     {"fields", item.fields}});
  }
  return items;
}

inline store::Manifest manifest_from_json(const nlohmann::json& items) {
  store::Manifest manifest;
  for (const auto& item : items) {
    manifest.items.push_back({item.at("id"), item.at("kind"),
                              vmr::detail::restore_bytes(item.at("path").get<std::string>()),
                              item.at("track"), item.at("tags"), item.at("split"),
                              item.at("fields")});
  }
  return manifest;
}

}  // namespace vmr::pipeline
