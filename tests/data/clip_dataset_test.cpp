// Pins clips, labels and classes, the order of an epoch, and reports of unusable items.
#include "vmr/data/clip_dataset.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "data/memory_store.h"

namespace vmr::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Tracks m0..m5 with 1..6 clips of shape [2, 3]; clip r of item i is filled with 10 i + r.
class ClipDatasetTest : public ::testing::Test {
 protected:
  ClipDatasetTest() {
    const std::vector<std::string> tags = {"b", "c", "a", "b", "c", "b"};
    for (int64_t i = 0; i < 6; ++i) {
      const std::string id = "m" + std::to_string(i);
      manifest_.items.push_back(music_item(id, {tags[static_cast<size_t>(i)]}));
      const auto values = at::arange(10 * i, 10 * i + i + 1, at::kFloat);
      store_.put_values("fbank", "music", id, values.reshape({-1, 1, 1}).expand({-1, 2, 3}));
    }
    options_.feature = "fbank";
    options_.split = "train";
    options_.batch = 4;
  }
  ClipDataset make() const { return ClipDataset(store_, manifest_, options_); }

  MemoryStore store_;
  store::Manifest manifest_;
  ClipDatasetOptions options_;
};

TEST_F(ClipDatasetTest, LabelsEveryClipWithItsItemsClass) {
  const auto clips = make();
  EXPECT_EQ(clips.size(), 21);
  EXPECT_EQ(clips.clip_shape(), (std::vector<int64_t>{2, 3}));
  EXPECT_THAT(clips.classes(), ElementsAre("a", "b", "c"));
  // Clip 0 is m0's, clips 1 and 2 m1's, 3..5 m2's; any order, repeats too.
  const auto batch = clips.collate({5, 0, 2, 1, 5});
  EXPECT_TRUE(
      at::equal(batch.values.select(1, 1).select(1, 2), at::tensor({22.f, 0.f, 11.f, 10.f, 22.f})));
  EXPECT_TRUE(at::equal(batch.labels, at::tensor({0, 1, 2, 2, 0}, at::kLong)));
  EXPECT_THAT(batch.item_ids, ElementsAre("m2", "m0", "m1", "m1", "m2"));
}

TEST_F(ClipDatasetTest, SeesEveryClipOnceAnEpochInAnOrderOfSeedAndEpoch) {
  const auto clips = make();
  const auto batches = clips.epoch_batches(1, 0);
  ASSERT_EQ(batches.size(), 5u);  // 21 = 4 + 4 + 4 + 4 + 5: a single last clip joins
  EXPECT_EQ(clips.batches_per_epoch(), 5);
  EXPECT_EQ(batches[4].size(), 5u);
  std::set<int64_t> seen;
  for (const auto& batch : batches) seen.insert(batch.begin(), batch.end());
  EXPECT_EQ(seen.size(), 21u);
  EXPECT_EQ(batches, clips.epoch_batches(1, 0));
  EXPECT_NE(batches, clips.epoch_batches(1, 1));
  EXPECT_NE(batches, clips.epoch_batches(2, 0));
  EXPECT_THAT(clips.ordered_batches()[1], ElementsAre(4, 5, 6, 7));
  options_.batch = 20;
  EXPECT_EQ(make().epoch_batches(1, 0).size(), 1u);
  options_.batch = 19;
  EXPECT_EQ(make().epoch_batches(1, 0).size(), 2u);
  options_.batch = 1;
  EXPECT_EQ(make().epoch_batches(1, 0).size(), 21u);
}

TEST_F(ClipDatasetTest, MixesClipsWithinGroupsOfItems) {
  options_.batch = 100;
  options_.group_items = 1;  // then clips of an item stay together
  const auto clips = make();
  const auto batch = clips.collate(clips.epoch_batches(1, 0)[0]);
  std::set<std::string> items;
  for (size_t i = 0; i < batch.item_ids.size(); ++i) {
    if (i == 0 || batch.item_ids[i] != batch.item_ids[i - 1]) {
      EXPECT_TRUE(items.insert(batch.item_ids[i]).second) << batch.item_ids[i];
    }
  }
  options_.group_items = 0;
  const auto mixed = make().collate(make().epoch_batches(1, 0)[0]);
  int64_t changes = 0;
  for (size_t i = 1; i < mixed.item_ids.size(); ++i) {
    changes += mixed.item_ids[i] != mixed.item_ids[i - 1];
  }
  EXPECT_GT(changes, 8);  // 15.2 expected of 20
}

TEST_F(ClipDatasetTest, TakesLabelsFromFieldsAndFilmsFromTheirTracks) {
  manifest_.items[0].fields["texture"] = "smooth";
  manifest_.items[1].fields["texture"] = "rough";
  manifest_.items.push_back(film_item("f0", "m0", {}));
  manifest_.items.push_back(film_item("f1", "m1", {"c"}));
  manifest_.items.back().fields["texture"] = "grainy";
  store_.put_values("grey", "film", "f0", at::zeros({1, 4}, at::kByte));
  store_.put_values("grey", "film", "f1", at::ones({1, 4}, at::kByte));
  options_.feature = "grey";
  options_.kind = "film";
  options_.label_field = "texture";
  const auto clips = make();
  EXPECT_THAT(clips.classes(), ElementsAre("grainy", "smooth"));
  const auto batch = clips.collate({0, 1});
  EXPECT_EQ(batch.values.scalar_type(), at::kByte);
  EXPECT_TRUE(at::equal(batch.labels, at::tensor({1, 0}, at::kLong)));
}

TEST_F(ClipDatasetTest, ListsItemsItCannotUse) {
  manifest_.items.push_back(music_item("m6", {"b"}));
  manifest_.items.push_back(music_item("m7", {}));
  manifest_.items.push_back(music_item("m8", {"d"}, "valid"));
  store_.put_values("fbank", "music", "m2", at::zeros({3, 2, 4}));
  store_.put_values("fbank", "music", "m3", at::zeros({0, 2, 3}));
  const auto clips = make();
  EXPECT_THAT(clips.items(), ElementsAre("m0", "m1", "m4", "m5"));
  EXPECT_THAT(clips.classes(), ElementsAre("a", "b", "c", "d"));  // of all splits
  ASSERT_EQ(clips.missing().size(), 4u);
  EXPECT_THAT(clips.missing()[0].reason, HasSubstr("its clips are [2, 4]"));
  EXPECT_EQ(clips.missing()[1].reason, "feature fbank has no rows");
  EXPECT_EQ(clips.missing()[2].reason, "the store has no feature fbank");
  EXPECT_EQ(clips.missing()[3].reason, "it has no tag");
  options_.feature = "nothing";
  EXPECT_THROW(make(), InvalidArgument);
}

// As a store whose values were spoilt on the disk: only `find` compares their checksum.
class SpoiltStore : public MemoryStore {
 public:
  std::optional<FeatureTrack> find(const store::FeatureKey& key) const override {
    if (key.id == "m3") throw StoreError("fbank/music/m3 is damaged");
    return MemoryStore::find(key);
  }
};

TEST_F(ClipDatasetTest, RefusesDamagedValuesBeforeTheFirstBatch) {
  SpoiltStore spoilt;
  static_cast<MemoryStore&>(spoilt) = store_;
  EXPECT_THAT([&] { ClipDataset(spoilt, manifest_, options_); },
              testing::ThrowsMessage<StoreError>(HasSubstr("fbank/music/m3")));
}

TEST_F(ClipDatasetTest, NamesTheSplitsThereAre) {
  manifest_.items[0].split = "valid";
  options_.split = "tset";
  EXPECT_THAT([&] { make(); },
              testing::ThrowsMessage<InvalidArgument>(HasSubstr(
                  "no track has the split \"tset\"; the splits are \"train\", \"valid\"")));
}

TEST_F(ClipDatasetTest, NoticesAStoreThatChanged) {
  const auto clips = make();
  store_.put_values("fbank", "music", "m5", at::zeros({2, 2, 3}));
  EXPECT_THROW(clips.collate({20}), StoreError);
  store_.remove({"fbank", "music", "m5"});
  EXPECT_THROW(clips.collate({20}), StoreError);
  EXPECT_NO_THROW(clips.collate({0}));
  EXPECT_THROW(clips.collate({21}), InvalidArgument);
}

}  // namespace
}  // namespace vmr::data
