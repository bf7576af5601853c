// Pins what the program makes of the published code's files: configurations, weights, data.
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "apps/process.h"
#include "support/temp_folder.h"
#include "vmr/store/npy.h"

namespace vmr {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::run_vmr;
using testing::HasSubstr;

class ReferenceFiles : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  json read(const std::string& name) {
    std::ifstream in(folder_ / name);
    return json::parse(in);
  }
  static std::string weights(const char* name) {
    return (fs::path(VMR_TEST_DATA) / "reference_weights" / name).string();
  }
  test::TempFolder folder_;
};

TEST_F(ReferenceFiles, AConfigurationBecomesARecipe) {
  // JSON, which every build reads.
  const auto config = write("c.json", R"({"dim_theta": 32, "epochs": 7, "reg_loss": true,
                                          "json_path": "pairs.json"})");
  const auto result = run_vmr({"convert", config, path("r.json"), "--as", "matching", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(result.json().at("files").at("json_path"), "pairs.json");
  EXPECT_TRUE(result.json().at("unused").contains("reg_loss"));
  const auto recipe = read("r.json");
  EXPECT_EQ(recipe.at("name"), "r");
  EXPECT_EQ(recipe.at("train").at("epochs"), 7);
  EXPECT_TRUE(recipe.at("reference_behaviour").contains("positive_as_negative"));

  const auto corrected = run_vmr({"convert", config, path("c2.json"), "--as", "matching",
                                  "--recipe", path("r.json"), "--corrected"});
  EXPECT_EQ(corrected.exit_code, 0) << corrected.error;
  EXPECT_EQ(read("c2.json").at("name"), "r") << "goes on with the recipe that was named";
}

TEST_F(ReferenceFiles, UnknownKeysAreListed) {
  const auto config = write("c.json", R"({"dim_theta": 32, "zoom": 1, "dim_tehta": 2})");
  const auto result = run_vmr({"convert", config, path("r.json"), "--as", "matching"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.error, HasSubstr("dim_tehta, zoom"));
  EXPECT_TRUE(fs::exists(path("r.json")));
  const auto strict = run_vmr({"convert", config, path("s.json"), "--as", "matching", "--strict"});
  EXPECT_EQ(strict.exit_code, 2);
  EXPECT_THAT(strict.error, HasSubstr("dim_tehta, zoom; nothing was written"));
  EXPECT_FALSE(fs::exists(path("s.json")));
  const auto wrong = run_vmr(
      {"convert", write("w.json", R"({"dim_theta": -1})"), path("s.json"), "--as", "matching"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.error, HasSubstr("w.json: dim_theta: expected a whole number"));
}

TEST_F(ReferenceFiles, WeightsBecomeRuns) {
  const auto recipe = write("r.json", R"({
    "extract": {"features": {"fbank": {"mels": 20}}}, "model": {"kind": "ut_cmvmr"},
    "pretrain": {"audio": {"dim": 16, "layers": 2, "heads": 4, "kernel": 7}}})");
  const auto audio =
      run_vmr({"convert", "--as", "conformer-audio", weights("conformer_training.pth"),
               path("audio"), "--recipe", recipe});
  ASSERT_EQ(audio.exit_code, 0) << audio.error;
  EXPECT_THAT(audio.out, HasSubstr("set to zeros: classification.weight"));
  EXPECT_THAT(audio.out, HasSubstr("vmr embed --run"));
  const auto matching = run_vmr({"convert", "--as", "ut_cmvmr", weights("ut_cmvmr.pth"),
                                 path("run"), "--recipe", recipe, "--json"});
  ASSERT_EQ(matching.exit_code, 0) << matching.error;
  EXPECT_EQ(read("run/about.json").at("run"), "train");
  EXPECT_EQ(matching.json().at("made_up").size(), 2u);

  const auto misfit = run_vmr({"convert", "--as", "conformer-audio", weights("ut_cmvmr.pth"),
                               path("other"), "--recipe", recipe});
  EXPECT_EQ(misfit.exit_code, 2);
  EXPECT_THAT(misfit.error, HasSubstr("does not fit the recipe"));
  EXPECT_FALSE(fs::exists(path("other")));
  const auto unknown = run_vmr({"convert", "--as", "resnet", weights("ut_cmvmr.pth"), path("o")});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.error, HasSubstr("expected conformer-audio"));
  const auto without = run_vmr({"convert", "--as", "ut_cmvmr", weights("ut_cmvmr.pth"), path("o")});
  EXPECT_EQ(without.exit_code, 2);
  EXPECT_THAT(without.error, HasSubstr("needs --recipe"));
}

TEST_F(ReferenceFiles, DataBecomeAManifestAndFeatures) {
  const auto pairs = write("p.json", R"({"v1": ["a1", "calm", 0], "v2": ["a2", "fast"], "v3": 5})");
  const auto result = run_vmr({"import", "pairs", pairs, "--train", write("t.txt", "v1\nv2\n"),
                               "--out", path("m.jsonl"), "--json"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.error, HasSubstr("v3: " + pairs + ": expected [track, tag, tag index]"));
  EXPECT_EQ(result.json().at("films"), 2);
  EXPECT_TRUE(fs::exists(path("m.jsonl")));
  const auto rhythm = run_vmr({"import", "rhythm", write("r.txt", "# aid\na1 2 1.0 0.5\n"),
                               "--store", path("store"), "--json"});
  EXPECT_EQ(rhythm.exit_code, 0) << rhythm.error;
  EXPECT_EQ(rhythm.json().at("clips"), 1);
  const auto flow = run_vmr({"import", "flow", write("f.txt", "v1 x\n"), "--store", path("store")});
  EXPECT_EQ(flow.exit_code, 3);
  EXPECT_THAT(flow.error, HasSubstr("f.txt line 1: expected an id and 1 numbers"));
  EXPECT_EQ(run_vmr({"import", "pairs", path("none.json"), "--out", path("n")}).exit_code, 3);
  for (const char* kind : {"rhythm", "flow"}) {
    const auto nothing =
        run_vmr({"import", kind, write("n.txt", "# aid\n\n"), "--store", path("new")});
    EXPECT_EQ(nothing.exit_code, 2);
    EXPECT_THAT(nothing.error, HasSubstr("n.txt: no lines of statistics; expected an id and"));
    EXPECT_FALSE(fs::exists(path("new")));
  }
}

TEST_F(ReferenceFiles, FeaturesComeInAndGoOutAsTheyAre) {
  fs::create_directories(folder_ / "in");
  const auto put = [&](const std::string& name, const at::Tensor& values) {
    store::write_npy(folder_ / "in" / name, values);
  };
  put("a1.npy", at::tensor({1.5f, -2.f, 3.25f, 0.f}).view({2, 2}));
  put("a2.npy", at::tensor({5.f, 6.f}).view({1, 2}));
  const auto import = [&](const std::string& from, const std::string& to,
                          std::vector<std::string> more) {
    more.insert(more.begin(), {"import", "features", path(from), "--store", path(to), "--kind",
                               "music", "--feature", "vggish"});
    return run_vmr(more);
  };
  const auto first = import("in", "s1", {"--clip-seconds", "0.96", "--json"});
  ASSERT_EQ(first.exit_code, 0) << first.error;
  EXPECT_EQ(first.json().at("rows"), 3);
  const auto export_to = [&](const std::string& from, const std::string& to) {
    return run_vmr({"store", "export", path(from), "--feature", "vggish", "--out", path(to)})
        .exit_code;
  };
  ASSERT_EQ(export_to("s1", "out"), 0);
  put("../out/film_f1.npy", at::zeros({1, 2}));
  const auto second = import("out", "s2", {"--prefix", "music_", "--clip-seconds", "0.96"});
  EXPECT_EQ(second.exit_code, 0) << second.error;
  EXPECT_THAT(second.out, HasSubstr("vggish: 2 items with 3 rows of 2 values imported, 1 files "
                                    "passed over, 0 problems"));
  ASSERT_EQ(export_to("s2", "again"), 0);
  for (const char* id : {"a1", "a2"}) {
    const auto bytes = [&](const std::string& file) {
      std::ifstream in(folder_ / file, std::ios::binary);
      return std::string(std::istreambuf_iterator<char>(in), {});
    };
    EXPECT_EQ(bytes(std::string("in/") + id + ".npy"),
              bytes(std::string("again/music_") + id + ".npy"));
  }
  EXPECT_THAT(run_vmr({"store", "stats", path("s2")}).out, HasSubstr("vggish: 2 tracks"));

  put("a3.npy", at::zeros({1, 3}));
  const auto bad = import("in", "s1", {"--clip-seconds", "0.96"});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.error, HasSubstr("failed: a3: " + path("in/a3.npy") + ": expected rows of 2"));
  const auto other = import("in", "s1", {"--made-by", "another"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.error, HasSubstr("the store has \"vggish\" made with"));
  EXPECT_EQ(import("none", "s3", {}).exit_code, 2);
  const auto timed = run_vmr({"import", "features", path("in"), "--store", path("s3"), "--kind",
                              "tag", "--hop-seconds", "1"});
  EXPECT_EQ(timed.exit_code, 2);
  EXPECT_THAT(timed.error, HasSubstr("a tag has no time"));
  EXPECT_FALSE(fs::exists(path("s3")));
}

TEST_F(ReferenceFiles, TagVectorsAreListedAndRemovedAsOtherFeaturesAre) {
  fs::create_directories(folder_ / "in");
  std::ofstream(folder_ / "in/calm.f32", std::ios::binary) << "01234567";
  const auto imported = run_vmr({"import", "features", path("in"), "--store", path("s"), "--kind",
                                 "tag", "--raw", "--dim", "2"});
  ASSERT_EQ(imported.exit_code, 0) << imported.error;
  EXPECT_THAT(run_vmr({"store", "stats", path("s")}).out, HasSubstr("tag_vector: 1 tag\n"));
  EXPECT_EQ(run_vmr({"store", "remove", path("s"), "--feature", "tag_vector"}).exit_code, 0);
}

TEST_F(ReferenceFiles, StatisticsGoOutAsTheyCameIn) {
  const auto rhythm = write("r.txt",
                            "#aid\tn_beat\tbeat_strength\tbeat_interval\n"
                            "a1\t2\t1.1\t0.512\na1\t0\tnan\tnan\n");
  const auto flow = write("f.txt", "#vid\tdisplacement\nv1\t3.3\n");
  ASSERT_EQ(run_vmr({"import", "rhythm", rhythm, "--store", path("s")}).exit_code, 0);
  ASSERT_EQ(run_vmr({"import", "flow", flow, "--store", path("s")}).exit_code, 0);
  const auto exported = run_vmr(
      {"store", "export", path("s"), "--format", "statistics", "--out", path("out"), "--json"});
  ASSERT_EQ(exported.exit_code, 0) << exported.error;
  EXPECT_EQ(exported.json().at("clips"), 3);
  const auto text = [&](const std::string& file) {
    std::ifstream in(file);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  EXPECT_EQ(text(path("out/rhythm.txt")), text(rhythm));
  EXPECT_EQ(text(path("out/flow.txt")), text(flow));
  const auto both = run_vmr({"store", "export", path("s"), "--format", "statistics", "--feature",
                             "rhythm", "--out", path("o")});
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_THAT(both.error, HasSubstr("leave --feature and --kind out"));
  const auto neither = run_vmr({"store", "export", path("s"), "--out", path("o")});
  EXPECT_EQ(neither.exit_code, 2);
  EXPECT_THAT(neither.error, HasSubstr("--feature is required"));
  EXPECT_FALSE(fs::exists(path("o")));
}

TEST_F(ReferenceFiles, ImportsOfNothingLeaveNoStore) {
  // Each line damaged, then each value.
  for (const char* text : {"a1 2 1.0\n", "a1 -2 1.0 0.5\n"}) {
    const auto nothing =
        run_vmr({"import", "rhythm", write("r.txt", text), "--store", path("new")});
    EXPECT_EQ(nothing.exit_code, 3) << text;
    EXPECT_FALSE(fs::exists(path("new"))) << text;
  }
  const auto broken = run_vmr(
      {"import", "pairs", write("b.json", "{\"v1\": [\"a1\", }"), "--out", path("m.jsonl")});
  EXPECT_EQ(broken.exit_code, 2);
  EXPECT_THAT(broken.error, HasSubstr("b.json: not JSON: line 1, column 15: unexpected '}'"));
}

TEST_F(ReferenceFiles, ATableThatFailsLeavesNoFolder) {
  const auto table = [&](const std::string& spec, const std::string& store) {
    return run_vmr({"table", "--spec", spec, "--store", store, "--out", path("out")});
  };
  const auto systems = write("t.json", R"({"systems": [
      {"system": "CBVMR", "setting": "AE", "recipe": "cbvmr_ae"}]})");
  EXPECT_EQ(table(systems, path("nowhere")).exit_code, 3);
  EXPECT_FALSE(fs::exists(path("out")));
  const auto unknown = table(write("u.json", R"({"seeds": 3, "systems": [
      {"system": "CBVMR", "setting": "AE", "recipe": "cbvmr_ae"}]})"),
                             path("nowhere"));
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(
      unknown.error,
      HasSubstr("u.json: seeds: unknown key (known here: overrides, systems, comparisons, "));
  EXPECT_THAT(table(write("n.json", "{}"), path("nowhere")).error,
              HasSubstr("n.json: systems: expected a list"));
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(ReferenceFiles, TracksThatAreTrainedOnAndRankedAreWarnedOf) {
  const auto pairs = write("p.json", R"({"v1": ["a1", "calm"], "v2": ["a1", "calm"],
                                         "v3": ["a2", "fast"]})");
  const auto train = write("t.txt", "v1\nv3\n"), test = write("e.txt", "v2\n");
  const auto import = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"import", "pairs", pairs, "--out", path("m.jsonl")});
    return run_vmr(options);
  };
  const auto shared = import({"--train", train, "--test", test});
  EXPECT_EQ(shared.exit_code, 0);
  EXPECT_THAT(shared.error, HasSubstr("warning: 1 track is both trained on and ranked, which "
                                      "flatters the evaluation (a1: train by v1, test by v2)"));
  EXPECT_THAT(shared.out, HasSubstr("m.jsonl; 0 in no list, 0 ignored, 0 problems\n"));
  const auto json = import({"--train", train, "--test", test, "--json"}).json();
  EXPECT_EQ(json.at("shared_tracks").size(), 1u);
  const auto without = import({});
  EXPECT_THAT(without.out, HasSubstr("m.jsonl; 0 ignored, 0 problems\n"));
  EXPECT_EQ(without.error, "");
}

TEST_F(ReferenceFiles, AnImportThatLeavesNothingSaysSo) {
  const auto pairs = write("p.json", R"({"v1": ["a1", "calm"], "v2": ["a2", "fast"]})");
  const auto import = [&](const std::string& file, const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"import", "pairs", file, "--out", path("m.jsonl")};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const auto result = run_vmr(arguments);
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_FALSE(fs::exists(path("m.jsonl")));
    return result;
  };
  EXPECT_THAT(import(pairs, {"--train", write("t.txt", "v9\n")}).error,
              HasSubstr("p.json: no item left: 2 in no list, 0 ignored, 1 problems"));
  EXPECT_THAT(import(pairs, {"--ignore", write("i.txt", "v1\nv2\n")}).error,
              HasSubstr("no item left: 2 ignored"));
  const auto empty = import(write("e.json", "{}"), {"--json"});
  EXPECT_THAT(empty.error, HasSubstr("no item left: 0 ignored"));
  EXPECT_EQ(empty.json().at("films"), 0);
  EXPECT_TRUE(empty.json().at("out").is_null());
}

TEST_F(ReferenceFiles, OptionsThatWouldBePassedOverAreRefused) {
  const auto config = write("c.json", R"({"dim_theta": 32})");
  const auto checkpoint = weights("ut_cmvmr.pth");
  const auto expect = [&](std::vector<std::string> arguments, const std::string& error) {
    arguments.insert(arguments.begin(), "convert");
    const auto result = run_vmr(arguments);
    EXPECT_EQ(result.exit_code, 2) << error;
    EXPECT_THAT(result.error, HasSubstr(error));
    EXPECT_FALSE(fs::exists(path("o")));
  };
  expect({checkpoint, path("o"), "--recipe", "ut_cmvmr_se_r"}, "--recipe needs --as");
  expect({checkpoint, path("o"), "--strict"}, "--strict is for configurations");
  expect({checkpoint, path("o"), "--as", "ut_cmvmr", "--recipe", "ut_cmvmr_se_r", "--corrected"},
         "--corrected is for configurations");
  expect({config, path("o"), "--as", "matching", "--key", "model"}, "--key is for weights");
  expect({checkpoint, "--list", "--as", "ut_cmvmr"}, "without --as");
  expect({config, path("o"), "--list", "--as", "matching"}, "without --as");
}

}  // namespace
}  // namespace vmr
