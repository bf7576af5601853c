#include "pipeline/import_store.h"

#include "vmr/core/error.h"

namespace vmr::pipeline::detail {

namespace fs = std::filesystem;

LateStore::LateStore(const fs::path& folder) : folder_(folder) {
  const bool vacant = !fs::exists(folder) || (fs::is_directory(folder) && fs::is_empty(folder));
  if (!vacant) get();
}

store::FeatureStore& LateStore::get() {
  if (!store_) {
    store::StoreOptions options;
    options.writable = true;
    store_ = store::FeatureStore::open(folder_, options);
  }
  return *store_;
}

void check_own(const store::FeatureStore& store, const std::string& kind,
               const Provenance& provenance) {
  const auto stored = store.provenance(provenance.extractor, kind);
  VMR_CHECK(!stored || stored->fingerprint() == provenance.fingerprint(), "the store has \"",
            provenance.extractor, "\" made with ", stored->options,
            " already; use another store, or remove it with `vmr store remove`");
}

}  // namespace vmr::pipeline::detail
