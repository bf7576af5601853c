// Pins that a batch moves with every tensor it holds and without those it lacks.
#include "vmr/data/batch.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace vmr::data {
namespace {

// The meta device stands for "another device" on every machine.
const at::Device kMeta(at::kMeta);

TEST(PairBatch, MovesEveryTensor) {
  PairBatch batch;
  for (auto* features :
       {&batch.music, &batch.video, &batch.negative_music, &batch.negative_video}) {
    (*features)["a"] = {at::ones({2, 3, 4}), at::ones({2, 3}, at::kBool)};
  }
  batch.text = batch.negative_text = at::ones({2, 5});
  batch.track_ids = batch.negative_track_ids = at::zeros({2}, at::kLong);
  batch.tag_ids = batch.negative_tag_ids = at::zeros({2}, at::kLong);
  batch.music_ids = {"m0", "m1"};
  batch.video_ids = {"f0", "f1"};
  const PairBatch moved = batch.to(kMeta);
  for (const auto* features :
       {&moved.music, &moved.video, &moved.negative_music, &moved.negative_video}) {
    EXPECT_TRUE(features->at("a").values.is_meta());
    EXPECT_TRUE(features->at("a").mask.is_meta());
  }
  for (const auto& tensor : {moved.text, moved.negative_text, moved.track_ids,
                             moved.negative_track_ids, moved.tag_ids, moved.negative_tag_ids}) {
    EXPECT_TRUE(tensor.is_meta());
  }
  EXPECT_EQ(moved.size(), 2);
  EXPECT_EQ(moved.music_ids, batch.music_ids);
  EXPECT_EQ(moved.video_ids, batch.video_ids);
}

TEST(PairBatch, LeavesUndefinedTensorsUndefined) {
  PairBatch batch;
  batch.track_ids = at::zeros({1}, at::kLong);
  const PairBatch moved = batch.to(kMeta);
  EXPECT_FALSE(moved.text.defined());
  EXPECT_TRUE(moved.negative_music.empty());
}

TEST(ClipBatch, MovesValuesAndLabels) {
  const ClipBatch moved =
      ClipBatch{at::ones({2, 3}), at::zeros({2}, at::kLong), {"a", "b"}}.to(kMeta);
  EXPECT_TRUE(moved.values.is_meta());
  EXPECT_TRUE(moved.labels.is_meta());
  EXPECT_EQ(moved.size(), 2);
  EXPECT_EQ(moved.item_ids, (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace vmr::data
