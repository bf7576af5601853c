// Pins which films a data set holds and why others are missing, padding, masks and ids.
#include "vmr/data/pair_dataset.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/memory_store.h"

namespace vmr::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Two tracks, four training films; m1 is used twice. Clip features [rows, 2], classes [rows, 1].
class PairDatasetTest : public ::testing::Test {
 protected:
  PairDatasetTest() {
    manifest_.items = {
        music_item("m2", {"rock"}),      music_item("m1", {"calm"}),
        music_item("m3", {"calm"}),      film_item("f1", "m1", {"calm"}),
        film_item("f2", "m2", {}),       film_item("f3", "m1", {"jazz", "calm"}),
        film_item("f4", "m2", {"rock"}), film_item("v1", "m3", {"soul"}, "valid"),
    };
    put("m1", "music", 2, 10);
    put("m2", "music", 3, 20);
    put("m3", "music", 1, 30);
    put("f1", "film", 1, 40);
    put("f2", "film", 4, 50);
    put("f3", "film", 2, 60);
    put("f4", "film", 3, 70);
    put("v1", "film", 2, 80);
    options_.split = "train";
    options_.music = {{"clips"}, {"classes", 0, "clips"}};
    options_.video = {{"clips"}};
  }

  // Row r of "clips" is [first + r, -(first + r)], of "classes" [first + r].
  void put(const std::string& id, const std::string& kind, int64_t rows, int64_t first) {
    const auto numbers = at::arange(first, first + rows, at::kInt);
    store_.put_values("clips", kind, id, at::stack({numbers, -numbers}, 1).to(at::kFloat));
    store_.put_values("classes", kind, id, numbers.unsqueeze(1));
  }

  PairDataset make(TagVectors vectors = {}) const {
    return PairDataset(store_, manifest_, options_, std::move(vectors));
  }

  MemoryStore store_;
  store::Manifest manifest_;
  PairDatasetOptions options_;
};

TEST_F(PairDatasetTest, HoldsTheFilmsOfTheSplitWithDenseIds) {
  const auto pairs = make();
  EXPECT_THAT(pairs.films(), ElementsAre("f1", "f2", "f3", "f4"));
  EXPECT_THAT(pairs.tracks(), ElementsAre("m2", "m1"));
  EXPECT_THAT(pairs.track_of_film(), ElementsAre(1, 0, 1, 0));
  // Tags of all splits, sorted; f2 takes its track's.
  EXPECT_THAT(pairs.tags(), ElementsAre("calm", "jazz", "rock", "soul"));
  EXPECT_THAT(pairs.tag_of_film(), ElementsAre(0, 2, 1, 2));
  EXPECT_TRUE(pairs.missing().empty());
}

TEST_F(PairDatasetTest, PadsToTheLongestItemAndMasksThePadding) {
  const auto batch = make().collate({2, 1});  // f3 with m1, f2 with m2
  const auto& video = batch.video.at("clips");
  EXPECT_EQ(video.values.sizes(), at::IntArrayRef({2, 4, 2}));
  EXPECT_TRUE(
      at::equal(video.mask, at::tensor({1, 1, 0, 0, 1, 1, 1, 1}).reshape({2, 4}).to(at::kBool)));
  EXPECT_TRUE(at::equal(
      video.values[0], at::tensor({60.f, -60.f, 61.f, -61.f, 0.f, 0.f, 0.f, 0.f}).reshape({4, 2})));
  EXPECT_EQ(video.values[1][3][1].item<float>(), -53);
  const auto& classes = batch.music.at("classes");
  EXPECT_EQ(classes.values.scalar_type(), at::kLong);
  EXPECT_TRUE(
      at::equal(classes.values, at::tensor({10, 11, 0, 20, 21, 22}, at::kLong).reshape({2, 3, 1})));
  EXPECT_TRUE(at::equal(classes.mask, batch.music.at("clips").mask));
  EXPECT_TRUE(at::equal(batch.track_ids, at::tensor({1, 0}, at::kLong)));
  EXPECT_TRUE(at::equal(batch.tag_ids, at::tensor({1, 2}, at::kLong)));
  EXPECT_THAT(batch.video_ids, ElementsAre("f3", "f2"));
  EXPECT_THAT(batch.music_ids, ElementsAre("m1", "m2"));
  EXPECT_FALSE(batch.text.defined());
  EXPECT_TRUE(batch.negative_music.empty());
}

TEST_F(PairDatasetTest, GivesRealNegativesInEveryField) {
  const auto vectors = formula_tag_vectors({"calm", "jazz", "rock"}, 8);
  const auto batch = make(vectors).collate({0, 3}, {1, 2});
  EXPECT_EQ(batch.negative_video.at("clips").values[0][0][0].item<float>(), 50);
  EXPECT_EQ(batch.negative_video.at("clips").values[1][0][0].item<float>(), 60);
  EXPECT_EQ(batch.negative_music.at("clips").values[0][0][0].item<float>(), 20);
  EXPECT_EQ(batch.negative_music.at("clips").values[1][0][0].item<float>(), 10);
  EXPECT_TRUE(at::equal(batch.negative_track_ids, at::tensor({0, 1}, at::kLong)));
  EXPECT_TRUE(at::equal(batch.negative_tag_ids, at::tensor({2, 1}, at::kLong)));
  EXPECT_TRUE(at::equal(batch.text, at::stack({vectors.vectors[0], vectors.vectors[2]})));
  EXPECT_TRUE(at::equal(batch.negative_text, at::stack({vectors.vectors[2], vectors.vectors[1]})));
}

TEST_F(PairDatasetTest, CutsRowsBeyondTheLimit) {
  options_.video = {{"clips", 3}};
  const auto batch = make().collate({0, 1});  // f1 has one row, f2 four
  const auto& video = batch.video.at("clips");
  EXPECT_TRUE(at::equal(video.values.select(2, 0),
                        at::tensor({40.f, 0.f, 0.f, 50.f, 51.f, 52.f}).reshape({2, 3})));
  EXPECT_TRUE(at::equal(video.mask.sum(1), at::tensor({1, 3}, at::kLong)));
}

TEST_F(PairDatasetTest, ListsWhatIsMissingAndWhy) {
  manifest_.items.push_back(film_item("f5", "m1", {"calm"}));  // nothing in the store
  manifest_.items.push_back(film_item("f6", "", {"calm"}));
  manifest_.items.push_back(film_item("f7", "m3", {"calm"}));
  manifest_.items.push_back(film_item("f8", "m1", {"polka"}));
  manifest_.items.push_back(film_item("f9", "m1", {"calm"}));
  manifest_.items.push_back(film_item("f10", "m1", {"calm"}));
  put("f8", "film", 2, 1);
  store_.put_values("classes", "music", "m3", at::zeros({2, 1}, at::kInt));  // clips has one row
  store_.put_values("clips", "film", "f9", at::zeros({2, 5}));
  store_.put_values("clips", "film", "f10", at::zeros({0, 2}));
  const auto pairs = make(formula_tag_vectors({"calm", "jazz", "rock"}, 8));
  EXPECT_THAT(pairs.films(), ElementsAre("f1", "f2", "f3", "f4"));
  ASSERT_EQ(pairs.missing().size(), 6u);
  EXPECT_EQ(pairs.missing()[0].reason, "the store has no feature clips");
  EXPECT_EQ(pairs.missing()[1].reason, "the manifest names no track");
  EXPECT_EQ(pairs.missing()[2].reason, "its track m3: feature classes has 2 rows but clips has 1");
  EXPECT_EQ(pairs.missing()[3].reason, "there is no vector for its tag polka");
  EXPECT_THAT(pairs.missing()[4].reason, HasSubstr("rows of feature clips are [5]"));
  EXPECT_EQ(pairs.missing()[5].reason, "feature clips has no rows");
}

TEST_F(PairDatasetTest, SaysWhyNothingIsLeft) {
  options_.video = {{"flow"}};
  try {
    make();
    FAIL();
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), HasSubstr("none of the 4 films"));
    EXPECT_THAT(error.what(), HasSubstr("f1: the store has no feature flow"));
  }
}

TEST_F(PairDatasetTest, KeepsUnusedTracksInTheGalleryWhereAsked) {
  options_.unused_tracks = true;
  const auto pairs = make();
  EXPECT_THAT(pairs.tracks(), ElementsAre("m2", "m1", "m3"));
  const auto gallery = pairs.collate_music({2, 0});
  EXPECT_EQ(gallery.at("clips").values[0][0][0].item<float>(), 30);
  EXPECT_EQ(gallery.at("clips").values[1][0][0].item<float>(), 20);
  EXPECT_EQ(pairs.collate_video({3}).at("clips").values[0][0][0].item<float>(), 70);
}

TEST_F(PairDatasetTest, RefusesBadOptionsAndPositions) {
  const auto pairs = make();
  EXPECT_THROW(pairs.collate({4}), InvalidArgument);
  EXPECT_THROW(pairs.collate({0}, {-1}), InvalidArgument);
  EXPECT_THROW(pairs.collate({0, 1}, {1}), InvalidArgument);
  EXPECT_THROW(pairs.collate({}), InvalidArgument);
  EXPECT_THROW(pairs.collate_music({2}), InvalidArgument);
  options_.music = {{"clips", -1}};
  EXPECT_THROW(make(), InvalidArgument);
  options_.music = {{"clips", 0, "classes"}};
  EXPECT_THROW(make(), InvalidArgument);
  options_.music = {};
  EXPECT_THROW(make(), InvalidArgument);
}

}  // namespace
}  // namespace vmr::data
