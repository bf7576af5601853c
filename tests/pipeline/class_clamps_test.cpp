// Pins which values count as beyond the classes: those of the items asked about, by the store's own
// edges of flow and the length of its clips.
#include "vmr/pipeline/class_clamps.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/temp_folder.h"
#include "vmr/video/clip_flow.h"

namespace vmr::pipeline {
namespace {

TEST(ClassClamps, CountWhatLiesBeyondTheLastClass) {
  const test::TempFolder folder;
  store::StoreOptions options;
  options.writable = true;
  const auto store = store::FeatureStore::open(folder / "store", options);
  const auto put = [&](const char* feature, const char* kind, const char* id,
                       const at::Tensor& values) {
    store->put(
        {{{feature, kind, id},
          {values, RowTimes::regular(values.size(0), 0, 4, 4), {feature, "4", "", "", ""}}}});
  };
  // 17 beats are the last class and 18 are beyond it; so are a strength that rounds to 49 and an
  // interval of a whole clip.
  put("rhythm_measures", "music", "m1",
      at::tensor({17.f, 48.4f, 3.9f, 18.f, 48.6f, 4.1f, 0.f, NAN, NAN}).view({3, 3}));
  put("rhythm_measures", "music", "m2", at::tensor({20.f, 1.f, 0.5f}).view({1, 3}));
  put("clip_flow_measures", "film", "f1", at::tensor({0.f, 319.f, 320.f, 400.f}));
  const store::Manifest all{{{"m1", "music", "", "", {}, "", {}},
                             {"m2", "music", "", "", {}, "", {}},
                             {"f1", "film", "", "m1", {}, "", {}},
                             {"f2", "film", "", "m1", {}, "", {}}}};
  EXPECT_EQ(count_clamped(*store, all, 4).rhythm, 4);
  EXPECT_EQ(count_clamped(*store, all, 4).flow, 0) << "not classified yet";
  EXPECT_EQ(count_clamped(*store, all, 5).rhythm, 3) << "an interval of 4.1 s is in a clip of 5 s";
  store->put_note("clip_flow_edges", video::to_json(video::reference_edges()));
  EXPECT_EQ(count_clamped(*store, all, 4).flow, 2);
  const store::Manifest one{{{"m2", "music", "", "", {}, "", {}}}};
  EXPECT_EQ(count_clamped(*store, one, 4).rhythm, 1);
  EXPECT_EQ(count_clamped(*store, one, 4).flow, 0);
}

}  // namespace
}  // namespace vmr::pipeline
