// 200 tracks of 100 kB: written in commits of ten without fsync, and read without a copy and
// summed, by one and two readers; peers: python-lmdb with buffers, .npy files.
#include <ATen/ops/randint.h>
#include <unistd.h>

#include <atomic>

#include "bench_case.h"
#include "vmr/core/parallel.h"
#include "vmr/store/feature_store.h"

namespace {

using namespace vmr;

constexpr int64_t kTracks = 200, kWords = 12500;  // of 8 bytes

store::FeatureKey key(int64_t i) { return {"bench", "music", "track_" + std::to_string(i)}; }

void fill(const std::filesystem::path& folder, const FeatureTrack& track) {
  const auto store = store::FeatureStore::open(folder, {.writable = true, .sync = false});
  std::vector<std::pair<store::FeatureKey, FeatureTrack>> commit;
  for (int64_t i = 0; i < kTracks; ++i) {
    commit.emplace_back(key(i), track);
    if (commit.size() == 10) {
      store->put(commit);
      commit.clear();
    }
  }
}

uint64_t sum_of_all(const store::FeatureStore& store, int readers) {
  std::atomic<uint64_t> total = 0;
  for_each_item(kTracks, readers, [&](int64_t i) {
    store.visit(key(i), [&](const FeatureTrack& track) {
      const auto* words = track.values.const_data_ptr<int64_t>();
      uint64_t sum = 0;
      for (int64_t k = 0; k < kWords; ++k) sum += uint64_t(words[k]);
      total += sum;
    });
  });
  return total;
}

}  // namespace

int main(int argc, char** argv) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("vmr_bench_store_" + std::to_string(getpid()));
  FeatureTrack track{at::randint(1 << 30, {100, kWords / 100}, at::kLong),
                     RowTimes::regular(100, 0, 1, 1),
                     {"bench", "1", "{}", "", ""}};
  constexpr double kGigabytes = 8e-9 * kTracks * kWords;
  fill(folder / "read", track);
  const std::shared_ptr<store::FeatureStore> store = store::FeatureStore::open(folder / "read");
  for (const int readers : {1, 2}) {
    bench::add({"read and sum 100 kB", readers, "GB/s", kGigabytes},
               [store, readers] { sum_of_all(*store, readers); });
  }
  bench::add({"write 100 kB", 1, "GB/s", kGigabytes}, [folder, track] {
    std::filesystem::remove_all(folder / "write");
    fill(folder / "write", track);
  });
  const int code = bench::run(argc, argv);
  std::filesystem::remove_all(folder);
  return code;
}
