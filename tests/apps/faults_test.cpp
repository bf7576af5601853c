// Pins that nothing is lost: kill -9 and Ctrl-C in the middle of extract, kill -9 in the middle of
// training, a full disk and a damaged store leave what was done, and the next run ends where an
// uninterrupted one does.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "apps/process.h"
#include "support/temp_folder.h"
#include "vmr/store/feature_store.h"
#include "vmr/store/manifest.h"

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
                             "batch": 4, "schedule": "constant"}},
      "model": {"kind": "ut_cmvmr", "theta_dim": 8, "rho_dim": 16, "text_dim": 16,
                "encoder_hidden": 16, "projection_hidden": 16,
                "encoder": {"heads": 2, "head_width": 4, "feed_forward": 16},
                "cross": {"heads": 2, "head_width": 4, "feed_forward": 16}},
      "sampler": {"batch": 2}, "train": {"epochs": 30, "learning_rate": 1e-3}})";
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
  static std::string training_track() {
    return store::read_manifest(path("lib/manifest.jsonl")).of("music", "train").front()->id;
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

TEST_F(Faults, AnInterruptedExtractionSaysSoAndTheNextRunFinishes) {
  test::ProcessOptions interrupt;
  interrupt.kill_when = [&] { return stored_tracks(path("interrupted")) >= 2; };
  interrupt.kill_signal = SIGINT;
  const auto broken_off = run_vmr(extract("interrupted"), interrupt);
  EXPECT_EQ(broken_off.exit_code, 130);
  EXPECT_THAT(broken_off.error,
              HasSubstr("vmr: interrupted; run the same command again to go on\n"));
  const auto kept = stored_tracks(path("interrupted"));
  EXPECT_GE(kept, 2);
  EXPECT_LT(kept, stored_tracks(path("whole")));
  auto command = extract("interrupted");
  command.push_back("--json");
  const auto again = run_vmr(command);
  EXPECT_EQ(again.exit_code, 0) << again.error;
  EXPECT_GT(again.json().at("already_there").get<int64_t>(), 0);
  EXPECT_FALSE(again.json().at("interrupted").get<bool>());
  expect_equal_stores(path("whole"), path("interrupted"));
}

TEST_F(Faults, AFolderIsNoManifest) {
  auto command = extract("unmade");
  command[1] = path("lib");
  const auto result = run_vmr(command);
  EXPECT_EQ(result.exit_code, 3);  // as a file that is not there: nothing could be done
  EXPECT_THAT(result.error, testing::AllOf(HasSubstr(path("lib")), HasSubstr("Is a directory")));
  EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
  EXPECT_FALSE(fs::exists(path("unmade")));
}

// Whether a checkpoint is complete: one in the making has a longer name.
bool has_checkpoint(const fs::path& run) {
  const auto folder = run / "checkpoints";
  if (!fs::exists(folder)) return false;
  return std::any_of(
      fs::directory_iterator(folder), fs::directory_iterator(), [](const auto& entry) {
        return entry.path().filename().string().size() == std::string("step-00000000").size();
      });
}

// Name and weights of the newest checkpoint.
std::pair<std::string, std::string> newest_weights(const fs::path& run) {
  fs::path newest;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints")) {
    if (newest.empty() || entry.path().filename() > newest.filename()) newest = entry.path();
  }
  std::ifstream in(newest / "weights.safetensors", std::ios::binary);
  return {newest.filename().string(), std::string(std::istreambuf_iterator<char>(in), {})};
}

// Runs `command(run folder)` once to the end and once killed at its first checkpoint and resumed.
template <typename Command>
void expect_resumes_to_the_same_weights(const fs::path& whole, const fs::path& killed,
                                        const Command& command) {
  const test::ProcessResult undisturbed = run_vmr(command(whole));
  ASSERT_EQ(undisturbed.exit_code, 0) << undisturbed.error;
  test::ProcessOptions killer;
  killer.kill_when = [&] { return has_checkpoint(killed); };
  EXPECT_EQ(run_vmr(command(killed), killer).exit_code, -SIGKILL);
  const test::ProcessResult again = run_vmr(command(killed));
  ASSERT_EQ(again.exit_code, 0) << again.error;
  EXPECT_GT(again.json().at("resumed_step").get<int64_t>(), 0);
  EXPECT_LT(again.json().at("resumed_step"), again.json().at("steps"));
  const auto expected = newest_weights(whole), resumed = newest_weights(killed);
  EXPECT_EQ(expected.first, resumed.first);
  EXPECT_FALSE(expected.second.empty());
  EXPECT_TRUE(expected.second == resumed.second);
}

TEST_F(Faults, KilledPretrainingResumesToTheSameWeights) {
  expect_resumes_to_the_same_weights(path("whole_run"), path("killed_run"), pretrain);
}

TEST_F(Faults, KilledMatchingTrainingResumesToTheSameWeights) {
  // Clip features as `vmr embed` would write them, without the minutes of pre-training.
  fs::copy(path("whole"), path("embedded"), fs::copy_options::recursive);
  {
    store::StoreOptions options;
    options.writable = true;
    const auto store = store::FeatureStore::open(path("embedded"), options);
    at::manual_seed(3);
    for (const auto& [from, feature] :
         {std::pair<std::string, std::string>{"fbank", "conformer_audio"},
          {"grey_clips", "conformer_video"}}) {
      for (const auto& key : store->keys(from)) {
        const auto clips = store->find(key);
        FeatureTrack track{
            at::randn({clips->values.size(0), 16}), clips->times, {feature, "1", "{}", "0123", ""}};
        store->put({{{feature, key.kind, key.id}, track}});
      }
    }
  }
  expect_resumes_to_the_same_weights(
      path("whole_match"), path("killed_match"), [](const fs::path& run) {
        return std::vector<std::string>{
            "train", "--recipe", path("recipe.json"), "--store", path("embedded"),
            "--out", run,        "--threads",         "1",       "--json"};
      });
}

// The lines on stderr beside those of the progress bar.
std::vector<std::string> without_progress(const std::string& error) {
  std::vector<std::string> lines;
  std::istringstream text(error);
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("extract ")) lines.push_back(line);
  }
  return lines;
}

TEST_F(Faults, AFullDiskIsOneSentenceAndNothingIsLost) {
  test::ProcessOptions full;
  full.file_size_limit = 1 << 20;
  const auto result = run_vmr(extract("full"), full);
  EXPECT_EQ(result.exit_code, 3) << result.error;
  const auto lines = without_progress(result.error);
  ASSERT_EQ(lines.size(), 1u) << result.error;
  EXPECT_THAT(lines[0], testing::AllOf(testing::StartsWith("vmr: "), HasSubstr(path("full")),
                                       HasSubstr("the disk may be full"),
                                       HasSubstr("what was committed before is intact")));
  const auto again = run_vmr(extract("full"));
  EXPECT_EQ(again.exit_code, 0) << again.error;
  expect_equal_stores(path("whole"), path("full"));
}

// Copies a store and spoils the values of a track's "fbank"; returns the file.
fs::path copy_and_damage(const fs::path& from, const fs::path& to, const std::string& id) {
  fs::copy(from, to, fs::copy_options::recursive);
  fs::path data;
  for (const auto& entry : fs::recursive_directory_iterator(to)) {
    if (entry.path().filename() == "data.mdb") data = entry.path();
  }
  const auto whole = store::FeatureStore::open(from);
  const auto values = whole->find({"fbank", "music", id})->values;
  std::ifstream in(data, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(in), {});
  in.close();
  // The values lie in the file as they are: the first clip's first frame is found by itself.
  const std::string_view start(static_cast<const char*>(values.data_ptr()), 320);
  const auto place = bytes.find(start);
  EXPECT_NE(place, std::string::npos);
  std::fstream file(data, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(std::streamoff(place + 100));
  file << std::string(64, '\x5a');
  return data;
}

TEST_F(Faults, ADamagedValueStopsTrainingAndIsMadeAgain) {
  const auto id = training_track();
  copy_and_damage(path("whole"), path("mended"), id);
  auto command = pretrain("damaged_run");
  command[5] = path("mended");
  const auto trained = run_vmr(command);
  EXPECT_EQ(trained.exit_code, 3);
  EXPECT_THAT(
      trained.error,
      testing::AllOf(
          HasSubstr("fbank/music/" + id + " is damaged: checksum of the values is wrong"),
          HasSubstr("`vmr store check " + path("mended") + " --remove-damaged` takes it out")));
  const auto exported = run_vmr(
      {"store", "export", path("mended"), "--feature", "fbank", "--out", path("npy"), "--json"});
  EXPECT_EQ(exported.exit_code, 1);
  EXPECT_THAT(exported.error, HasSubstr("failed: " + id));
  EXPECT_EQ(exported.json().at("written"), 5);  // the other five of six
  EXPECT_EQ(std::distance(fs::directory_iterator(path("npy")), {}), 5);
  EXPECT_THAT(run_vmr({"store", "check", path("mended")}).error, HasSubstr("--remove-damaged"));
  const auto mended = run_vmr({"store", "check", path("mended"), "--remove-damaged", "--json"});
  EXPECT_EQ(mended.exit_code, 0) << mended.error;
  EXPECT_EQ(mended.json().at("removed"), 1);
  command = extract("mended");
  command.push_back("--json");
  EXPECT_EQ(run_vmr(command).json().at("extracted"), 1);
  EXPECT_EQ(run_vmr({"store", "check", path("mended")}).exit_code, 0);
  expect_equal_stores(path("whole"), path("mended"));
}

TEST_F(Faults, ADamagedStoreIsNamedAndDoesNotCrash) {
  const auto id = training_track();
  const auto data = copy_and_damage(path("whole"), path("damaged"), id);
  const auto check = run_vmr({"store", "check", path("damaged"), "--json"});
  EXPECT_EQ(check.exit_code, 1) << check.error;
  EXPECT_THAT(check.error, HasSubstr("failed: fbank/music/" + id + ": "));
  ASSERT_EQ(check.json().at("damaged").size(), 1u);
  EXPECT_EQ(check.json().at("damaged")[0].at("key"), "fbank/music/" + id);
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

TEST_F(Faults, AMatchPrintsItsRankingWhereAFileCannotBeWritten) {
  std::ofstream(path("short.json")) << R"({
    "extract": {"frames": {"size": [32, 48]}, "features": {"fbank": {}, "grey_clips": {},
                "rhythm": {}, "clip_flow": {"method": "dis_ultrafast"}}},
    "pretrain": {"audio": {"dim": 16, "layers": 1, "heads": 2, "kernel": 7, "epochs": 1},
                 "video": {"dim": 16, "layers": 1, "heads": 2, "kernel": 7, "epochs": 1}},
    "model": {"kind": "ut_cmvmr", "theta_dim": 8, "rho_dim": 16, "text_dim": 16,
              "encoder_hidden": 16, "projection_hidden": 16,
              "encoder": {"heads": 2, "head_width": 4, "feed_forward": 16},
              "cross": {"heads": 2, "head_width": 4, "feed_forward": 16}},
    "sampler": {"batch": 2}, "train": {"epochs": 1, "learning_rate": 1e-3}})";
  const auto done = [](const std::vector<std::string>& command) {
    const auto result = run_vmr(command);
    EXPECT_EQ(result.exit_code, 0) << command[0] << ": " << result.error;
    return result;
  };
  const auto recipe = path("short.json"), store = path("matched");
  fs::copy(path("whole"), store, fs::copy_options::recursive);
  for (const std::string modality : {"audio", "video"}) {
    const auto run = path("short_" + modality);
    done({"pretrain", modality, "--recipe", recipe, "--store", store, "--out", run});
    done({"embed", "--run", run, "--store", store});
  }
  const auto run = path("short_run"), index = path("index");
  done({"train", "--recipe", recipe, "--store", store, "--out", run});
  const auto split =
      run_vmr({"evaluate", "--run", run, "--store", store, "--split", "tset", "--json"});
  EXPECT_EQ(split.exit_code, 2);
  EXPECT_THAT(split.error, HasSubstr("no film has the split \"tset\"; the splits are \"test\", "
                                     "\"train\""));
  done({"index", "build", "--index", index, "--run", run, "--store", store});
  std::string film;
  for (const auto& entry : fs::recursive_directory_iterator(path("lib"))) {
    if (entry.path().extension() == ".mp4") film = entry.path();
  }
  const auto match = [&](const std::string& option, const std::string& out) {
    return run_vmr({"match", film, "--index", index, option, out});
  };
  const auto preview = match("--preview", path("p.mp4"));
  EXPECT_EQ(preview.exit_code, 0);
  EXPECT_THAT(preview.error, HasSubstr(" LUFS"));
  // By cuts and beats too: the parts of the fit join those of the model, and the offset is its.
  const auto synchronised = done({"match", film, "--index", index, "--sync-weight", "0.5",
                                  "--store", path("fitted"), "--json"})
                                .json();
  for (const auto& hit : synchronised.at("hits")) {
    std::set<std::string> names;
    double sum = 0;
    for (const auto& part : hit.at("parts")) {
      names.insert(part.at("name").get<std::string>());
      sum += part.at("value").get<double>() * part.at("weight").get<double>();
    }
    EXPECT_TRUE(names.count("beats_on_cuts") + names.count("energy") > 0 && names.count("chance"))
        << hit.dump();
    EXPECT_NEAR(hit.at("score").get<double>(), sum, 1e-9);
    EXPECT_EQ(hit.at("offset_seconds"),
              hit.at("metadata").at("synchronisation").at("offset_seconds"));
  }
  // For people the fit is one reason among the others.
  const auto table =
      done({"match", film, "--index", index, "--sync-weight", "0.5", "--store", path("fitted")});
  EXPECT_THAT(table.out, testing::ContainsRegex(", fit -?[0-9]+\\.[0-9] x 0\\.5, from "));
  EXPECT_THAT(table.out, testing::Not(HasSubstr("beats_on_cuts")));
  const auto loud = match("--preview-loudness", "5");
  EXPECT_EQ(loud.exit_code, 2);
  EXPECT_THAT(loud.error, HasSubstr("expected -60 to 0 LUFS, as -16, or off, got \"5\""));
  EXPECT_TRUE(fs::exists(path("p.mp4")));
  // The best track's file goes: its preview cannot be made, the ranking stands.
  fs::rename(path("lib"), path("moved"));
  film = path("moved") / fs::path(film).lexically_relative(path("lib"));
  const auto gone = match("--preview", path("q.mp4"));
  fs::rename(path("moved"), path("lib"));
  EXPECT_EQ(gone.exit_code, 1);
  EXPECT_THAT(gone.out, HasSubstr("rank"));
  EXPECT_EQ(std::count(gone.out.begin(), gone.out.end(), '\n'), 7) << gone.out;
  EXPECT_THAT(gone.error, HasSubstr("failed: " + path("q.mp4")));
  // What can be known at the start is said without any analysis.
  const auto nowhere = match("--report", path("no/report.html"));
  EXPECT_EQ(nowhere.exit_code, 3);
  EXPECT_THAT(nowhere.error, HasSubstr("there is no folder " + path("no")));
  EXPECT_EQ(nowhere.out, "");
  EXPECT_THAT(match("--preview", path("p.avi")).error,
              HasSubstr("ends in .mp4, .m4v, .mov or .mkv, not in .avi"));
  EXPECT_EQ(match("--text-weight", "2").exit_code, 2);
  EXPECT_EQ(match("--top", "0").exit_code, 2);
  EXPECT_THAT(match("--filter", "").error, HasSubstr("it is empty"));
  const auto removed = run_vmr({"index", "remove", "--index", index, "none_such"});
  EXPECT_EQ(removed.exit_code, 3);
  EXPECT_THAT(removed.error, HasSubstr("failed: none_such: not in the catalogue"));
}

}  // namespace
}  // namespace vmr
