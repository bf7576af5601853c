// Pins the import of the published code's data files: what becomes of an entry, and that wrong ones
// are listed with file and entry while the rest goes on.
#include "vmr/pipeline/reference_data.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "pipeline/manifest_json.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"
#include "vmr/core/version.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/store/feature_store.h"
#include "vmr/video/clip_flow.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

auto problem(const std::string& id, const std::string& reason) {
  return AllOf(Field(&ItemFailure::id, id), Field(&ItemFailure::reason, HasSubstr(reason)));
}

class ReferenceData : public testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  ReferencePairs files() {
    ReferencePairs files;
    files.pairs = write("pairs.json", R"({"v1": ["a1", "calm", 0], "v2": ["a1", "calm", "0"],
      "v3": ["a2", "fast", "1"], "v4": ["a3", "fast", 1], "v5": ["a4", "odd", 2]})");
    files.train = write("train.txt", "v1\r\nv2\nv3\n\n");
    files.test = write("test.txt", "v4\n");
    return files;
  }
  test::TempFolder folder_;
};

TEST_F(ReferenceData, PairsBecomeFilmsAndTracks) {
  auto f = files();
  f.gallery = write("gallery.txt", "a3\na9\n");
  f.music_tags = write("tags.json", R"({"a1": ["calm", 28], "a3": ["fast", 12.5], "a9": ["calm", 8],
                                        "a2": ["fast", 4]})");
  const auto imported = import_manifest(f);
  EXPECT_THAT(imported.problems, IsEmpty());
  EXPECT_THAT(imported.shared_tracks, IsEmpty());
  EXPECT_EQ(imported.in_no_list, 1);
  const auto& manifest = imported.manifest;
  ASSERT_EQ(manifest.of("film").size(), 4u);
  const auto* film = manifest.find("film", "v2");
  EXPECT_EQ(std::tuple(film->track, film->split, film->fields.at("tag_index")),
            std::tuple("a1", "train", "0"));
  EXPECT_THAT(film->tags, ElementsAre("calm"));
  ASSERT_EQ(manifest.of("music").size(), 4u) << "a9 is in the gallery only, a4 in no list";
  EXPECT_EQ(manifest.find("music", "a1")->split, "train");
  EXPECT_EQ(manifest.find("music", "a3")->split, "test");
  EXPECT_EQ(manifest.find("music", "a9")->split, "test");
  EXPECT_EQ(manifest.find("music", "a3")->fields.at("duration_seconds"), "12.5");
  store::write_manifest(manifest, folder_ / "m.jsonl");
  EXPECT_EQ(store::read_manifest(folder_ / "m.jsonl").items.size(), 8u);
}

TEST_F(ReferenceData, TracksHaveTheTagsOfTheirFilmsWithoutAFileOfTheirOwn) {
  ReferencePairs f;
  f.pairs = write("p.json", R"({"v1": ["a", "x"], "v2": ["a", "y"], "v3": ["a", "x"]})");
  const auto imported = import_manifest(f);
  EXPECT_THAT(imported.problems, IsEmpty());
  EXPECT_THAT(imported.manifest.find("music", "a")->tags, ElementsAre("x", "y"));
  EXPECT_EQ(imported.manifest.find("film", "v1")->split, "");
  EXPECT_EQ(imported.manifest.find("film", "v1")->fields.count("tag_index"), 0u);
}

TEST_F(ReferenceData, ListsWrongEntriesAndGoesOn) {
  auto f = files();
  f.pairs =
      write("pairs.json", R"({"v1": ["a1", "calm", 0], "v2": "a1", "v3": ["a2", "fast", "one"],
    "v4": ["a3", "fast", 1], "v6": ["", "x", 1], "v1": ["a1", "calm", 0], "v7": ["a1", "fast", 0]})");
  f.train = write("train.txt", "v1\nv1\nv3\nv8\nv7\n");
  f.test = write("test.txt", "v4\nv1\n");
  f.music_tags = write("tags.json", R"({"a1": ["calm", 28], "a2": ["fast"], "a8": [3, 4]})");
  const auto imported = import_manifest(f);
  const auto& problems = imported.problems;
  EXPECT_THAT(problems, Contains(problem("v1", "pairs.json: stands twice")));
  EXPECT_THAT(problems, Contains(problem("v2", "expected [track, tag, tag index], got \"a1\"")));
  EXPECT_THAT(problems, Contains(problem("v3", "got [\"a2\",\"fast\",\"one\"]")));
  EXPECT_THAT(problems, Contains(problem("v6", "pairs.json")));
  EXPECT_THAT(problems, Contains(problem("v1", "train.txt: stands twice")));
  EXPECT_THAT(problems, Contains(problem("v8", "has no such film")));
  EXPECT_THAT(problems, Contains(problem("v3", "has no such film")));
  EXPECT_THAT(problems, Contains(problem("v1", "test.txt: is in the list of \"train\" already")));
  EXPECT_THAT(problems, Contains(problem("v7", "tag \"fast\" with index 0")));
  EXPECT_THAT(problems, Contains(problem("a2", "expected [tag, seconds]")));
  EXPECT_THAT(problems, Contains(problem("a8", "expected [tag, seconds]")));
  EXPECT_THAT(problems, Contains(problem("fast", "no music has this tag")));
  EXPECT_THAT(problems, Contains(problem("a3", "has no such track; it has the tags of its films")));
  EXPECT_EQ(problems.size(), 13u);
  EXPECT_EQ(imported.manifest.of("film").size(), 3u);
  EXPECT_EQ(imported.manifest.find("film", "v1")->split, "train");
}

TEST_F(ReferenceData, FindsTheMediaOfIds) {
  auto f = files();
  write("films/v1.zip", "x");
  write("films/deep/v2.mp4", "x");
  write("films/v3.mp4", "x");
  write("films/v3.zip", "x");
  write("music/a1.mp3", "x");
  f.films = folder_ / "films";
  f.music = write("songs.txt", "music/a1.mp3\nmusic/a2.mp3\n");
  const auto imported = import_manifest(f);
  EXPECT_EQ(imported.manifest.find("film", "v2")->path, folder_ / "films/deep/v2.mp4");
  EXPECT_EQ(imported.manifest.find("music", "a1")->path, folder_ / "music/a1.mp3");
  EXPECT_THAT(imported.problems,
              testing::UnorderedElementsAre(
                  problem("v3", "v3.mp4 has that id already"), problem("v4", "no file of that id"),
                  problem("a2", "songs.txt: no file of that id; left out"),
                  problem("v3", "its track a2 is left out, and so is the film")));
  EXPECT_EQ(imported.manifest.items.size(), 3u);
}

TEST_F(ReferenceData, TakesFilesWithEndingsOfMediaFromFolders) {
  ReferencePairs f;
  f.pairs = write("p.json", R"({"x": ["x", "calm"], "y": ["z", "calm"], "n": ["x", "calm"]})");
  for (const char* name :
       {"x.json", "x.mp3", "x.MP4", "y.jpg", "y.zip", "z.mp4", "z.wav", "n.txt"}) {
    write(std::string("media/") + name, "x");
  }
  f.films = f.music = folder_ / "media";
  const auto imported = import_manifest(f);
  const auto path = [&](const char* kind, const char* id) {
    return imported.manifest.find(kind, id)->path;
  };
  EXPECT_EQ(path("film", "x"), folder_ / "media/x.MP4");
  EXPECT_EQ(path("film", "y"), folder_ / "media/y.zip");
  EXPECT_EQ(path("music", "x"), folder_ / "media/x.mp3");
  EXPECT_EQ(path("music", "z"), folder_ / "media/z.wav") << "sound before a film's";
  EXPECT_THAT(imported.problems,
              testing::UnorderedElementsAre(problem("n", "media: no file of that id"),
                                            problem("x", "x.MP4: "), problem("z", "z.mp4: ")));
}

TEST_F(ReferenceData, LeavesOutWhatIsIgnored) {
  auto f = files();
  f.ignore = write("short.txt", "/data/v1.zip\ttoo short\na2\n");
  const auto imported = import_manifest(f);
  EXPECT_EQ(imported.ignored, 2);
  EXPECT_EQ(imported.manifest.find("film", "v1"), nullptr);
  EXPECT_THAT(imported.problems, ElementsAre(problem("v3", "its track a2 is left out")));
}

TEST_F(ReferenceData, PutsTracksIntoTheListsOfTheSoundEncoder) {
  auto f = files();
  f.music_train = write("at.txt", "a3\na5\n");
  f.music_test = write("av.txt", "a1\na3\n");
  f.gallery = write("g.txt", "a5\n");
  const auto imported = import_manifest(f);
  const auto split = [&](const char* id) { return imported.manifest.find("music", id)->split; };
  EXPECT_EQ(std::tuple(split("a1"), split("a2"), split("a3"), split("a5")),
            std::tuple("valid", "train", "train", "test"));
  EXPECT_THAT(imported.problems, ElementsAre(problem("a3", "is in the list of \"train\" already")));
  // a1 only validates the sound encoder that v1 and v2 train with.
  EXPECT_THAT(imported.shared_tracks, ElementsAre(problem("a3", "in --music-train, test by v4"),
                                                  problem("a5", "in --music-train, in --gallery")));
}

TEST_F(ReferenceData, RefusesFilesThatAreNoneAsAWhole) {
  ReferencePairs f;
  EXPECT_THAT([&] { import_manifest(f); }, ThrowsMessage<InvalidArgument>(HasSubstr("pairs")));
  f.pairs = write("p.json", "{\"v1\": [");
  EXPECT_THAT([&] { import_manifest(f); },
              ThrowsMessage<InvalidArgument>(HasSubstr("p.json: not JSON")));
  f.pairs = write("p.json", "[1]");
  EXPECT_THAT([&] { import_manifest(f); },
              ThrowsMessage<InvalidArgument>(HasSubstr("p.json: expected an object")));
  f.pairs = folder_ / "none.json";
  EXPECT_THAT([&] { import_manifest(f); }, ThrowsMessage<StoreError>(HasSubstr("none.json")));
  f = files();
  f.train = folder_ / "none.txt";
  EXPECT_THAT([&] { import_manifest(f); }, ThrowsMessage<StoreError>(HasSubstr("none.txt")));
}

class ReferenceStatistics : public ReferenceData {
 protected:
  void SetUp() override {
    if (build_info().find("LMDB yes") == std::string::npos) GTEST_SKIP() << "no LMDB";
  }
  fs::path store() const { return folder_ / "store"; }
  FeatureTrack find(const std::string& feature, const std::string& kind, const std::string& id) {
    return store::FeatureStore::open(store())->find({feature, kind, id}).value();
  }
  void put_manifest(const std::vector<std::pair<std::string, std::string>>& items) {
    store::Manifest manifest;
    for (const auto& [kind, id] : items) manifest.items.push_back({id, kind, "", "", {}, "", {}});
    store::StoreOptions options;
    options.writable = true;
    store::FeatureStore::open(store(), options)
        ->put_note("manifest", manifest_to_json(manifest).dump());
  }
};

TEST_F(ReferenceStatistics, RhythmBecomesMeasuresAndClasses) {
  const auto text = write("rhythm.txt",
                          "# aid\tn_beat\tbeat_strength\tbeat_interval\n"
                          "a1\t8\t2.5\t0.5\na1\t0\tnan\tnan\na2\t1\t1.75\tnan\n"
                          "a3\t30\t99.0\t0.128\n");
  const auto imported = import_rhythm(text, store());
  EXPECT_THAT(imported.problems, IsEmpty());
  EXPECT_EQ(std::tuple(imported.items, imported.clips, imported.clamped), std::tuple(3, 4, 2));
  const auto measures = find("rhythm_measures", "music", "a1");
  ASSERT_EQ(measures.values.sizes(), (at::IntArrayRef{2, 3}));
  EXPECT_EQ(measures.values[0][1].item<float>(), 2.5f);
  EXPECT_TRUE(std::isnan(measures.values[1][2].item<float>()));
  EXPECT_EQ(measures.times, RowTimes::regular(2, 0, 4, 4));
  const auto rows = [&](const char* id) { return find("rhythm", "music", id).values; };
  EXPECT_TRUE(rows("a1").equal(at::tensor({8, 2, 8, 0, 0, 64}, at::kLong).view({2, 3})));
  EXPECT_TRUE(rows("a2").equal(at::tensor({1, 2, 64}, at::kLong).view({1, 3})));
  EXPECT_TRUE(rows("a3").equal(at::tensor({17, 48, 2}, at::kLong).view({1, 3})));
}

TEST_F(ReferenceStatistics, GoOutAsTextAndComeBackBitForBit) {
  const auto rhythm = at::tensor({3.0f, 0.1f, 1.2345678f, 0.0f, NAN, NAN}).view({2, 3});
  const auto flow = at::tensor({0.0f, 1e-7f, 318.99997f, 2.0f});
  const auto put = [&](store::FeatureStore& store, const char* feature, const char* kind,
                       const std::string& id, const at::Tensor& values) {
    store.put({{{feature, kind, id},
                {values, RowTimes::regular(values.size(0), 0, 4, 4), {feature, "4", "", "", ""}}}});
  };
  {
    store::StoreOptions options;
    options.writable = true;
    const auto own = store::FeatureStore::open(folder_ / "own", options);
    put(*own, "rhythm_measures", "music", "a1", rhythm);
    put(*own, "rhythm_measures", "music", "a2", rhythm.narrow(0, 1, 1).contiguous());
    put(*own, "rhythm_measures", "music", "a 3", rhythm);
    put(*own, "clip_flow_measures", "film", "v1", flow);
    put(*own, "clip_flow_measures", "film", "v2", at::tensor({NAN}, at::kFloat));
    const auto exported = export_statistics(*own, folder_ / "out");
    EXPECT_THAT(exported.files, ElementsAre(folder_ / "out/rhythm.txt", folder_ / "out/flow.txt"));
    EXPECT_EQ(std::tuple(exported.items, exported.clips), std::tuple(3, 7));
    EXPECT_THAT(exported.problems, ElementsAre(problem("a 3", "white space"),
                                               problem("v2", "without a displacement")));
  }
  EXPECT_EQ(import_rhythm(folder_ / "out/rhythm.txt", store()).items, 2);
  EXPECT_EQ(import_clip_flow(folder_ / "out/flow.txt", store()).items, 1);
  const auto measures = [&](const char* feature, const char* kind, const char* id) {
    return find(feature, kind, id).values;
  };
  const auto read = measures("rhythm_measures", "music", "a1");
  EXPECT_TRUE(at::allclose(read, rhythm, 0, 0, /*equal_nan=*/true));
  EXPECT_TRUE(measures("clip_flow_measures", "film", "v1").equal(flow));
  std::ifstream text(folder_ / "out/flow.txt");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(text), {}),
            "#vid\tdisplacement\nv1\t0.0\nv1\t1e-07\nv1\t318.99997\nv1\t2.0\n");
}

TEST_F(ReferenceStatistics, FlowBecomesMeasuresAndPublishedClasses) {
  const auto text =
      write("flow.txt", "# vid\tvalue\nv1\t0.0\nv1\t4.99\nv1\t5.0\nv2\t319.0\nv3 999\n");
  const auto imported = import_clip_flow(text, store());
  EXPECT_THAT(imported.problems, IsEmpty());
  EXPECT_EQ(std::tuple(imported.items, imported.clamped), std::tuple(3, 1));
  EXPECT_TRUE(find("clip_flow", "film", "v1").values.equal(at::tensor({0, 0, 1}, at::kLong)));
  EXPECT_TRUE(find("clip_flow", "film", "v2").values.equal(at::tensor({63}, at::kLong)));
  EXPECT_EQ(find("clip_flow_measures", "film", "v1").values.sizes(), at::IntArrayRef{3});
  EXPECT_EQ(stored_flow_edges(*store::FeatureStore::open(store())), video::reference_edges());
}

TEST_F(ReferenceStatistics, ListsDamagedLinesAndGoesOn) {
  put_manifest({{"music", "a1"}, {"music", "a2"}, {"music", "a3"}, {"music", "a4"}});
  const auto text = write("r.txt",
                          "a1 4 1.0 0.5\na2 4 1.0\na2 4 1.0 0.5\na3 4 1.0 0.5\na1 4 1.0 0.5\n"
                          "b1 4 1.0 0.5\na4 -1 1.0 0.5\n");
  const auto imported = import_rhythm(text, store());
  EXPECT_EQ(std::tuple(imported.items, imported.clips), std::tuple(2, 2));
  EXPECT_THAT(imported.problems,
              testing::UnorderedElementsAre(
                  problem("a2", "r.txt line 2: expected an id and 3 numbers, got \"a2 4 1.0\""),
                  problem("a1", "line 5: has lines from line 1 on already"),
                  problem("b1", "has no music of that id"), problem("a4", "r.txt: ")));
}

TEST_F(ReferenceStatistics, ListsADamagedItemOnceAndOneWithoutLines) {
  put_manifest({{"music", "a1"}, {"music", "a2"}, {"music", "a3"}});
  const auto imported = import_rhythm(write("r.txt", "a1 4 1.0 0.5\na2 4\n"), store());
  EXPECT_THAT(imported.problems,
              testing::UnorderedElementsAre(problem("a2", "the item is left out"),
                                            problem("a3", "no lines of this music")));
}

TEST_F(ReferenceStatistics, TakesTheFirstLinesOfARunThatWasStartedTwice) {
  const auto text = write("flow.txt", "a 1\na 2\nb 3\na 1\na 2\nb 30\nb 40\nc 5\n");
  const auto imported = import_clip_flow(text, store());
  EXPECT_EQ(std::tuple(imported.items, imported.clips), std::tuple(3, 4));
  const auto measures = [&](const char* id) {
    return find("clip_flow_measures", "film", id).values;
  };
  EXPECT_TRUE(measures("a").equal(at::tensor({1.f, 2.f})));
  EXPECT_TRUE(measures("b").equal(at::tensor({3.f})));
  EXPECT_TRUE(measures("c").equal(at::tensor({5.f})));
  EXPECT_THAT(imported.problems,
              ElementsAre(problem("a", "line 4: has lines from line 1 on already; those count"),
                          problem("b", "line 6: has lines from line 3 on already; those count")));
}

TEST_F(ReferenceStatistics, RefusesAStoreOfOtherFeatures) {
  {
    store::StoreOptions options;
    options.writable = true;
    const auto other = store::FeatureStore::open(store(), options);
    other->put({{{"rhythm", "music", "x"},
                 {at::zeros({1, 3}, at::kLong),
                  RowTimes::regular(1, 0, 4, 4),
                  {"rhythm", "2", "{\"own\":1}", "", ""}}}});
    other->put_note("clip_flow_edges", video::to_json(video::fit_quantile_edges({1, 2, 3}, 2)));
  }
  const auto text = write("r.txt", "a1 4 1.0 0.5\n");
  EXPECT_THAT([&] { import_rhythm(text, store()); },
              ThrowsMessage<InvalidArgument>(AllOf(HasSubstr("\"rhythm\" made with {\"own\":1}"),
                                                   HasSubstr("vmr store remove"))));
  EXPECT_THAT([&] { import_clip_flow(write("f.txt", "v 1\n"), store()); },
              ThrowsMessage<InvalidArgument>(HasSubstr("quantile edges")));
  EXPECT_THAT([&] { import_rhythm(folder_ / "none.txt", folder_ / "new"); },
              ThrowsMessage<StoreError>(HasSubstr("none.txt")));
}

}  // namespace
}  // namespace vmr::pipeline
