// A FeatureStore in memory, so that data sets and training are tested without LMDB.
#pragma once

#include <map>

#include "vmr/core/error.h"
#include "vmr/store/feature_store.h"
#include "vmr/store/manifest.h"

namespace vmr::data {

class MemoryStore : public store::FeatureStore {
 public:
  void put(const std::vector<std::pair<store::FeatureKey, FeatureTrack>>& tracks) override {
    for (const auto& [key, track] : tracks) tracks_[key] = track;
  }
  // Rows of one second from 0.
  void put_values(const std::string& feature, const std::string& kind, const std::string& id,
                  const at::Tensor& values) {
    tracks_[{feature, kind, id}] = {values.contiguous(),
                                    RowTimes::regular(values.size(0), 0, 1, 1),
                                    {feature, "1", "{}", "", ""}};
  }
  std::optional<FeatureTrack> find(const store::FeatureKey& key) const override {
    const auto found = tracks_.find(key);
    if (found == tracks_.end()) return std::nullopt;
    return found->second;
  }
  bool visit(const store::FeatureKey& key,
             const std::function<void(const FeatureTrack&)>& body) const override {
    const auto found = tracks_.find(key);
    if (found == tracks_.end()) return false;
    body(found->second);
    return true;
  }
  bool contains(const store::FeatureKey& key) const override { return tracks_.count(key) > 0; }
  std::vector<store::FeatureKey> keys(const std::string& feature,
                                      const std::string& kind) const override {
    std::vector<store::FeatureKey> result;
    for (const auto& [key, track] : tracks_) {
      if ((feature.empty() || key.feature == feature) && (kind.empty() || key.kind == kind)) {
        result.push_back(key);
      }
    }
    return result;
  }
  std::vector<std::string> features() const override { return {}; }
  std::optional<Provenance> provenance(const std::string&, const std::string&) const override {
    return std::nullopt;
  }
  int64_t remove_feature(const std::string&, const std::string&) override { return 0; }
  bool remove(const store::FeatureKey& key) override { return tracks_.erase(key) > 0; }
  void put_note(const std::string&, const std::string&) override {}
  std::optional<std::string> find_note(const std::string&) const override { return std::nullopt; }
  store::StoreStats stats() const override { return {}; }

 private:
  std::map<store::FeatureKey, FeatureTrack> tracks_;
};

inline store::ManifestItem film_item(const std::string& id, const std::string& track,
                                     std::vector<std::string> tags,
                                     const std::string& split = "train") {
  return {id, "film", id + ".mp4", track, std::move(tags), split, {}};
}

inline store::ManifestItem music_item(const std::string& id, std::vector<std::string> tags,
                                      const std::string& split = "train") {
  return {id, "music", id + ".flac", "", std::move(tags), split, {}};
}

}  // namespace vmr::data
