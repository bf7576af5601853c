// A store filled with random features, without media, as the tests of `vmr evaluate` train on it.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pipeline/manifest_json.h"
#include "vmr/store/feature_store.h"

namespace vmr::test {

inline const std::vector<std::string> kTags = {"angry", "calm", "wild"};

// 42 characters in 43 bytes, and 64.
inline std::string title_of(const std::string& id) {
  return id == "test1" ? "Sechzig Zeichen " + std::string(48, 'x')
                       : "Ein längerer Titel, ganz zu lesen, " + id;
}

// Nine tracks a split, three of each tag; twelve films with the tags of their tracks.
inline store::Manifest evaluated_manifest() {
  store::Manifest result;
  for (const std::string split : {"train", "test"}) {
    for (int i = 0; i < 9; ++i) {
      const auto id = split + std::to_string(i);
      result.items.push_back(
          {id, "music", "", "", {kTags[size_t(i % 3)]}, split, {{"title", title_of(id)}}});
    }
    for (int i = 0; i < 12; ++i) {
      const auto track = split + std::to_string(i % 9);
      result.items.push_back({split + "_film" + std::to_string(i),
                              "film",
                              "",
                              track,
                              {kTags[size_t(i % 3)]},
                              split,
                              {}});
    }
  }
  return result;
}

inline void fill_store(const std::filesystem::path& folder, int64_t audio_dim) {
  const auto store = store::FeatureStore::open(folder, {.writable = true});
  const auto items = evaluated_manifest();
  store->put_note("manifest", pipeline::manifest_to_json(items).dump());
  store->put_note("extract_recipe", R"({"features": {"grey_clips": {}}})");
  at::manual_seed(5);
  for (const auto& item : items.items) {
    const bool film = item.kind == "film";
    const std::string feature = film ? "conformer_video" : "conformer_audio";
    const auto values = at::randn({3, film ? 16 : audio_dim});
    store->put({{{feature, item.kind, item.id},
                 {values, RowTimes::regular(3, 0, 4, 4), {feature, "1", "{}", "0123", ""}}}});
  }
}

inline nlohmann::json small_recipe() {
  return nlohmann::json::parse(R"({
    "extract": {"features": {"fbank": {}}},
    "model": {"kind": "ut_cmvmr", "rhythm_flow": false, "theta_dim": 8, "rho_dim": 16,
      "text_dim": 16, "encoder_hidden": 16, "projection_hidden": 16,
      "encoder": {"heads": 2, "head_width": 4, "feed_forward": 16},
      "cross": {"heads": 2, "head_width": 4, "feed_forward": 16}},
    "sampler": {"batch": 8}, "train": {"epochs": 2, "learning_rate": 1e-3},
    "evaluate": {"ks": [1, 3, 4]}})");
}

}  // namespace vmr::test
