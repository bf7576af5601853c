#include "vmr/core/error.h"
#include "vmr/store/feature_store.h"

namespace vmr::store {
namespace {

[[noreturn]] void fail(const char* function) {
  throw NotBuilt(std::string(function) +
                 ": built without LMDB (VMR_WITH_LMDB=OFF); configure with -DVMR_WITH_LMDB=ON");
}

}  // namespace

std::unique_ptr<FeatureStore> FeatureStore::open(const std::filesystem::path&,
                                                 const StoreOptions&) {
  fail("FeatureStore::open");
}

StoreReport check_store(const std::filesystem::path&, const RunControl&, const CheckOptions&) {
  fail("check_store");
}

int64_t merge_store(const std::filesystem::path&, const RunControl&) { fail("merge_store"); }

int64_t compact_store(const std::filesystem::path&) { fail("compact_store"); }

}  // namespace vmr::store
