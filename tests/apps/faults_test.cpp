// Pins that nothing is lost: kill -9 in the middle of extract and of training, a full disk and a
// damaged store leave what was done, and the next run ends where an uninterrupted one does.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "apps/process.h"
#include "support/temp_folder.h"
#include "vmr/store/feature_store.h"

namespace vmr {
namespace {

namespace fs = std::filesystem;
using test::run_vmr;
using testing::HasSubstr;

// A library of six tracks and films, made once; a small recipe on it.
class Faults : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test::TempFolder;
    const auto made = run_vmr({"synth", "--out", path("lib"), "--tracks", "6", "--films-per-track",
                               "1", "--min-seconds", "7", "--max-seconds", "8", "--width", "160",
                               "--height", "120", "--train-share", "0.7", "--valid-share", "0"});
    ASSERT_EQ(made.exit_code, 0) << made.error;
    std::ofstream(path("recipe.json")) << R"({
      "extract": {"frames": {"size": [32, 48]}, "features": {"fbank": {}, "grey_clips": {},
                  "rhythm": {}, "clip_flow": {"method": "dis_ultrafast"}}},
      "pretrain": {"audio": {"dim": 16, "layers": 1, "heads": 2, "kernel": 7, "epochs": 40,
                             "batch": 4, "schedule": "constant"}}})";
    const auto extracted = run_vmr(extract("whole"));
    ASSERT_EQ(extracted.exit_code, 0) << extracted.error;
  }
  static void TearDownTestSuite() { delete folder_; }
  static std::string path(const std::string& name) { return (*folder_ / name).string(); }
  static std::vector<std::string> extract(const std::string& store) {
    return {"extract",   path("lib/manifest.jsonl"),
            "--recipe",  path("recipe.json"),
            "--store",   path(store),
            "--threads", "1"};
  }
  static std::vector<std::string> pretrain(const std::string& run) {
    return {"pretrain",  "audio",       "--recipe", path("recipe.json"),
            "--store",   path("whole"), "--out",    path(run),
            "--threads", "1",           "--json"};
  }
  static test::TempFolder* folder_;
};
test::TempFolder* Faults::folder_ = nullptr;

void expect_equal_stores(const fs::path& one, const fs::path& other) {
  const auto first = store::FeatureStore::open(one), second = store::FeatureStore::open(other);
  EXPECT_EQ(first->keys(), second->keys());
  for (const auto& key : first->keys()) {
    const auto a = first->find(key), b = second->find(key);
    ASSERT_TRUE(a && b) << key.feature << " " << key.id;
    EXPECT_TRUE(at::equal(at::nan_to_num(a->values), at::nan_to_num(b->values)))
        << key.feature << " " << key.id;
    EXPECT_EQ(a->provenance, b->provenance);
  }
}

int64_t stored_tracks(const fs::path& folder) {
  try {
    return store::FeatureStore::open(folder)->stats().tracks;
  } catch (const std::exception&) {
    return 0;  // not there yet
  }
}

TEST_F(Faults, KilledExtractionResumesToTheSameKeysAndValues) {
  test::ProcessOptions killer;
  killer.kill_when = [&] { return stored_tracks(path("killed")) >= 4; };
  EXPECT_EQ(run_vmr(extract("killed"), killer).exit_code, -SIGKILL);
  const auto whole = stored_tracks(path("whole"));
  EXPECT_LT(stored_tracks(path("killed")), whole);
  const auto again = run_vmr(extract("killed"));
  EXPECT_EQ(again.exit_code, 0) << again.error;
  expect_equal_stores(path("whole"), path("killed"));
}

TEST_F(Faults, KilledTrainingResumesToTheSameWeights) {
  ASSERT_EQ(run_vmr(pretrain("whole_run")).exit_code, 0);
  test::ProcessOptions killer;
  killer.kill_when = [&] {
    const auto folder = fs::path(path("killed_run")) / "checkpoints";
    if (!fs::exists(folder)) return false;
    // A checkpoint in the making has a longer name.
    return std::any_of(fs::directory_iterator(folder), fs::directory_iterator(), [](const auto& entry) {
      return entry.path().filename().string().size() == std::string("step-00000000").size();
    });
  };
  EXPECT_EQ(run_vmr(pretrain("killed_run"), killer).exit_code, -SIGKILL);
  const auto again = run_vmr(pretrain("killed_run"));
  ASSERT_EQ(again.exit_code, 0) << again.error;
  EXPECT_GT(again.json().at("resumed_step").get<int64_t>(), 0);
  const auto last = [](const std::string& run) {
    fs::path newest;
    for (const auto& entry : fs::directory_iterator(fs::path(run) / "checkpoints")) {
      if (newest.empty() || entry.path().filename() > newest.filename()) newest = entry.path();
    }
    std::ifstream in(newest / "weights.safetensors", std::ios::binary);
    return std::pair(newest.filename(), std::string(std::istreambuf_iterator<char>(in), {}));
  };
  const auto whole = last(path("whole_run")), resumed = last(path("killed_run"));
  EXPECT_EQ(whole.first, resumed.first);
  EXPECT_FALSE(whole.second.empty());
  EXPECT_TRUE(whole.second == resumed.second);
}

TEST_F(Faults, AFullDiskIsOneSentenceAndNothingIsLost) {
  test::ProcessOptions full;
  full.file_size_limit = 1 << 20;
  const auto result = run_vmr(extract("full"), full);
  EXPECT_EQ(result.exit_code, 3) << result.error;
  EXPECT_FALSE(result.error.empty());
  const auto again = run_vmr(extract("full"));
  EXPECT_EQ(again.exit_code, 0) << again.error;
  expect_equal_stores(path("whole"), path("full"));
}

TEST_F(Faults, ADamagedStoreIsNamedAndDoesNotCrash) {
  fs::copy(path("whole"), path("damaged"), fs::copy_options::recursive);
  fs::path data;
  for (const auto& entry : fs::recursive_directory_iterator(path("damaged"))) {
    if (entry.path().filename() == "data.mdb") data = entry.path();
  }
  ASSERT_FALSE(data.empty());
  {
    std::fstream file(data, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(std::streamoff(fs::file_size(data) * 2 / 3));
    file << std::string(64, '\x5a');
  }
  const auto check = run_vmr({"store", "check", path("damaged")});
  EXPECT_THAT(check.exit_code, testing::AnyOf(0, 1, 3)) << check.error;
  // Cut off: the file is shorter than the store says.
  fs::resize_file(data, fs::file_size(data) / 2);
  const auto cut = run_vmr({"store", "check", path("damaged")});
  EXPECT_THAT(cut.exit_code, testing::AnyOf(1, 3)) << cut.out;
  EXPECT_FALSE(cut.error.empty());
  fs::remove(data);
  const auto gone = run_vmr({"store", "stats", path("damaged")});
  EXPECT_EQ(gone.exit_code, 3);
  EXPECT_THAT(gone.error, HasSubstr("damaged"));
}

TEST_F(Faults, AnEncoderIsNoMatchingModel) {
  const auto other = run_vmr({"evaluate", "--run", path("whole_run"), "--store", path("whole")});
  EXPECT_EQ(other.exit_code, 3);
  EXPECT_THAT(other.error, HasSubstr("not a run of `vmr train`"));
}

}  // namespace
}  // namespace vmr
