// What the importers of features have in common: the store they fill.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "vmr/store/feature_store.h"

namespace vmr::pipeline::detail {

// A store that is made when the first item is put into it, so that an import of nothing leaves
// none behind.
class LateStore {
 public:
  explicit LateStore(const std::filesystem::path& folder);
  // nullptr where there is none yet.
  const store::FeatureStore* found() const { return store_.get(); }
  store::FeatureStore& get();

 private:
  std::filesystem::path folder_;
  std::unique_ptr<store::FeatureStore> store_;
};

// Throws: InvalidArgument where the store has the feature of that name from elsewhere.
void check_own(const store::FeatureStore& store, const std::string& kind,
               const Provenance& provenance);

}  // namespace vmr::pipeline::detail
