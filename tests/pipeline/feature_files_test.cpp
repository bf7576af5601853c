// Pins the import of features from elsewhere: which files become which rows, times and provenance,
// that bad ones are listed and leave nothing, and that models find what they read.
#include "vmr/pipeline/feature_files.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "pipeline/tag_texts.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"
#include "vmr/core/hash.h"
#include "vmr/data/pair_dataset.h"
#include "vmr/model/matching_model.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/store/feature_store.h"
#include "vmr/store/npy.h"
#include "vmr/train/matching_task.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

auto problem(const std::string& id, const std::string& reason) {
  return AllOf(Field(&ItemFailure::id, id), Field(&ItemFailure::reason, HasSubstr(reason)));
}

store::ManifestItem film(const std::string& id, const std::string& track, const std::string& tag) {
  return {id, "film", "", track, {tag}, "train", {}};
}
store::ManifestItem song(const std::string& id) { return {id, "music", "", "", {}, "train", {}}; }

class FeatureFilesTest : public testing::Test {
 protected:
  FeatureFilesTest() { fs::create_directories(folder()); }
  fs::path folder() const { return folder_ / "files"; }
  fs::path store() const { return folder_ / "store"; }
  fs::path put(const std::string& name, const at::Tensor& values) const {
    store::write_npy(folder() / name, values);
    return folder() / name;
  }
  void put_raw(const std::string& name, const std::vector<float>& values) const {
    std::ofstream(folder() / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(values.data()),
               std::streamsize(values.size() * sizeof(float)));
  }
  FeatureFiles vggish() const {
    FeatureFiles files;
    files.folder = folder();
    files.kind = "music";
    files.feature = "vggish";
    return files;
  }
  FeatureTrack find(const std::string& id) const {
    return store::FeatureStore::open(store())->find({"vggish", "music", id}).value();
  }
  std::vector<std::string> stored() const {
    std::vector<std::string> ids;
    for (const auto& key : store::FeatureStore::open(store())->keys()) ids.push_back(key.id);
    return ids;
  }
  test::TempFolder folder_;
};

TEST_F(FeatureFilesTest, ArraysBecomeRowsWithTimesAndProvenance) {
  const auto rows = at::tensor({1.f, 2.f, 3.f, 4.f, 5.f, 6.f}).view({2, 3});
  const auto file = put("a.npy", rows);
  put("b.npy", at::tensor({0.5, 0.25, -1.5}, at::kDouble));
  put("c.d.npy", rows.to(at::kHalf).narrow(0, 1, 1));
  put_raw("a.txt", {1});
  auto files = vggish();
  files.clip_seconds = 0.96;
  files.hop_seconds = 0.48;
  files.made_by = "vggish 1";
  const auto imported = import_features(files, store());
  EXPECT_THAT(imported.problems, IsEmpty());
  EXPECT_EQ(std::tuple(imported.items, imported.rows, imported.dim, imported.passed_over),
            std::tuple(3, 4, 3, 1));
  const auto a = find("a");
  EXPECT_TRUE(a.values.equal(rows));
  EXPECT_EQ(a.times, RowTimes::regular(2, 0, 0.48, 0.96));
  EXPECT_EQ(a.provenance.version, "imported");
  EXPECT_THAT(a.provenance.options, HasSubstr("\"from\":\"vggish 1\""));
  EXPECT_EQ(a.provenance.media_hash, hash_file(file));
  EXPECT_TRUE(find("b").values.equal(at::tensor({0.5f, 0.25f, -1.5f}).view({1, 3})));
  EXPECT_EQ(find("b").times, RowTimes::explicit_rows({Interval()}));
  EXPECT_TRUE(find("c.d").values.equal(rows.narrow(0, 1, 1)));
}

TEST_F(FeatureFilesTest, RawFilesAreFloatsAlone) {
  put_raw("a.bin", {1, 2, 3, 4});
  put_raw("b.f32", {5, 6});
  put_raw("c.dat", {7, 8, 9});
  put_raw("d.bin", {});
  put_raw("a.dat", {1, 2});
  put("e.npy", at::zeros({1, 2}));
  auto files = vggish();
  files.raw = true;
  EXPECT_THAT([&] { import_features(files, store()); },
              ThrowsMessage<InvalidArgument>(HasSubstr("give their dim")));
  files.dim = 2;
  const auto imported = import_features(files, store());
  EXPECT_EQ(std::tuple(imported.items, imported.rows, imported.passed_over), std::tuple(2, 3, 1));
  EXPECT_TRUE(find("a").values.equal(at::tensor({1.f, 2.f, 3.f, 4.f}).view({2, 2})));
  EXPECT_EQ(find("a").times, RowTimes::regular(2, 0, 4, 4));
  EXPECT_TRUE(find("b").values.equal(at::tensor({5.f, 6.f}).view({1, 2})));
  EXPECT_THAT(imported.problems,
              ElementsAre(problem("a", "a.dat: a file of the same name was taken already"),
                          problem("c",
                                  "expected rows of 2 float32 values, which are 8 bytes each, "
                                  "got 12 bytes"),
                          problem("d", "got 0 bytes")));
}

TEST_F(FeatureFilesTest, BadFilesAreListedAndLeaveNothing) {
  put("a.npy", at::zeros({1, 2}));
  put("b.npy", at::zeros({1, 2}, at::kLong));
  put("c.npy", at::zeros({1, 1, 2}));
  put("d.npy", at::tensor({1.f, std::numeric_limits<float>::quiet_NaN()}));
  put("e.npy", at::tensor({1e300, 0.0}, at::kDouble));
  put("f.npy", at::zeros({3, 4}));
  put("g.npy", at::zeros({0, 2}));
  put("h.npy", at::zeros({1, 2}));
  fs::resize_file(folder() / "h.npy", fs::file_size(folder() / "h.npy") - 1);
  put("i.npy", at::ones({1, 2}));
  const auto imported = import_features(vggish(), store());
  EXPECT_EQ(imported.items, 2);
  EXPECT_THAT(stored(), ElementsAre("a", "i"));
  EXPECT_THAT(
      imported.problems,
      ElementsAre(problem("b", "expected float16, float32 or float64 values, got Long"),
                  problem("c", "expected [rows, dim] or [dim], got [1, 1, 2]"),
                  problem("d", "no finite"), problem("e", "no finite"),
                  problem("f", "expected rows of 2 values as in the first file, got 4"),
                  problem("g", "got none: [0, 2]"), problem("h", "h.npy: shape needs 8 bytes")));
}

TEST_F(FeatureFilesTest, ItemsAreThoseOfTheManifest) {
  put("x_a.npy", at::zeros({1, 2}));
  put("x_b_1.npy", at::zeros({1, 2}));
  put("x_z.npy", at::zeros({1, 2}));
  put("a.npy", at::zeros({1, 2}));
  auto files = vggish();
  files.prefix = "x_";
  files.manifest = store::Manifest{{song("a"), song("b/1"), song("c"), film("z", "a", "t")}};
  const auto imported = import_features(files, store());
  EXPECT_THAT(stored(), ElementsAre("a", "b/1"));
  EXPECT_EQ(imported.passed_over, 1);
  EXPECT_THAT(imported.problems, ElementsAre(problem("z", "has no music of that id"),
                                             problem("c", "no file of this")));
  // The store has them now, and takes more.
  EXPECT_EQ(stored_manifest(*store::FeatureStore::open(store())).items.size(), 4u);
  files.manifest = store::Manifest{{song("z")}};
  EXPECT_THAT(import_features(files, store()).problems, ElementsAre(problem("c", "no file of")));
  EXPECT_THAT(stored(), ElementsAre("a", "b/1", "z"));
}

TEST_F(FeatureFilesTest, NothingToImportMakesNoStore) {
  EXPECT_THAT([&] { import_features(vggish(), store()); },
              ThrowsMessage<InvalidArgument>(HasSubstr("expected files ID.npy, got none")));
  put("a.npy", at::zeros({2}, at::kLong));
  EXPECT_EQ(import_features(vggish(), store()).items, 0);
  EXPECT_FALSE(fs::exists(store()));
}

TEST_F(FeatureFilesTest, FeaturesMadeByOtherMeansDoNotMix) {
  put("a.npy", at::zeros({1, 2}));
  auto files = vggish();
  files.made_by = "first";
  import_features(files, store());
  put("a.npy", at::ones({1, 2}));
  EXPECT_EQ(import_features(files, store()).items, 1);
  EXPECT_TRUE(find("a").values.equal(at::ones({1, 2})));
  files.made_by = "second";
  EXPECT_THAT([&] { import_features(files, store()); },
              ThrowsMessage<InvalidArgument>(HasSubstr("\"vggish\" made with ")));
}

TEST_F(FeatureFilesTest, WrongOptionsAreNamed) {
  const auto expect = [&](const FeatureFiles& files, const char* message) {
    EXPECT_THAT([&] { validate(files); }, ThrowsMessage<InvalidArgument>(HasSubstr(message)));
  };
  auto files = vggish();
  files.kind = "song";
  expect(files, "kind = \"song\", expected film, music or tag");
  files.kind = "tag";
  expect(files, "expected tag_vector");
  files = vggish();
  files.feature = "";
  expect(files, "expected a name");
  files = vggish();
  files.hop_seconds = 0;
  expect(files, "hop_seconds = 0");
  files.hop_seconds.reset();
  files.dim = -1;
  expect(files, "dim = -1");
}

TEST_F(FeatureFilesTest, TheAeSettingReadsThem) {
  const store::Manifest manifest{{song("m1"), song("m2"), film("f1", "m1", "calm"),
                                  film("f2", "m2", "rock/pop"), film("f3", "m1", "calm")}};
  const auto import = [&](const char* kind, const char* feature,
                          const std::vector<std::pair<std::string, at::Tensor>>& arrays) {
    fs::remove_all(folder());
    fs::create_directories(folder());
    for (const auto& [name, values] : arrays) put(name + ".npy", values);
    auto files = vggish();
    files.kind = kind;
    files.feature = feature;
    files.manifest = manifest;
    const auto imported = import_features(files, store());
    EXPECT_THAT(imported.problems, IsEmpty());
  };
  import("music", "vggish", {{"m1", at::full({4}, 1.)}, { "m2", at::full({4}, 2.) }});
  import("film", "resnet", {{"f1", at::full({2, 6}, 1.)}, {"f2", at::full({1, 6}, 2.)}, {
                              "f3",
                              at::zeros({3, 6})
                            }});
  fs::create_directories(text_encoder_folder(store()));  // of an encoder that made other vectors
  import("tag", "", {{"calm", at::full({1, 8}, 1.)}, { "rock_pop", at::full({8}, 2.) }});
  EXPECT_FALSE(fs::exists(text_encoder_folder(store())));

  const auto opened = store::FeatureStore::open(store());
  const auto model = model::make_matching_model({{"kind", "ut_cmvmr"},
                                                 {"music", "vggish"},
                                                 {"video", "resnet"},
                                                 {"sequence", false},
                                                 {"rhythm_flow", false},
                                                 {"music_dim", 4},
                                                 {"video_dim", 6},
                                                 {"theta_dim", 8},
                                                 {"rho_dim", 8},
                                                 {"text_dim", 8}});
  const auto tags = tag_vectors(*opened, stored_manifest(*opened), model->inputs().text_dim);
  const data::PairDataset pairs(*opened, stored_manifest(*opened),
                                train::dataset_options(model->inputs(), "train"), tags);
  EXPECT_THAT(pairs.missing(), IsEmpty());
  EXPECT_THAT(pairs.films(), ElementsAre("f1", "f2", "f3"));
  const auto batch = pairs.collate({1, 0});
  EXPECT_TRUE(batch.music.at("vggish").values.equal(
      at::tensor({2.f, 1.f}).view({2, 1, 1}).expand({2, 1, 4})));
  EXPECT_TRUE(
      batch.video.at("resnet").mask.equal(at::tensor({1, 0, 1, 1}).view({2, 2}).to(at::kBool)));
  EXPECT_TRUE(batch.text.equal(at::tensor({2.f, 1.f}).view({2, 1}).expand({2, 8})));
}

}  // namespace
}  // namespace vmr::pipeline
