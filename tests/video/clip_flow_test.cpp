// Pins clip measures to the mean over a clip's own pairs.
#include "vmr/video/clip_flow.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include "video/texture.h"
#include "vmr/core/error.h"
#include "vmr/video/frame.h"

namespace vmr::video {
namespace {

// Seven frames: the first four creep by 1/2 pixel, the rest jump by 4; pair (3, 4) crosses clips.
at::Tensor seven_frames() {
  return test::camera_film(
      64, 80, {{800, 0}, {792, 0}, {784, 0}, {776, 0}, {600, 0}, {536, 0}, {472, 0}}, 9);
}

TEST(ClipFlowMeasures, AreMeansOverThePairsInsideAClip) {
  const at::Tensor grey = seven_frames();
  const at::Tensor pairs = mean_magnitude(grey), measures = clip_flow_measures(grey);
  ASSERT_EQ(measures.sizes(), (std::vector<int64_t>{2}));
  EXPECT_NEAR(measures[0].item<float>(), pairs.slice(0, 0, 3).mean().item<float>(), 1e-6f);
  // The second clip is frames 4, 5, 6, 6: its last pair hardly moves (Farneback's answer to two
  // equal frames is 0.003 pixel, from its borders).
  EXPECT_NEAR(measures[1].item<float>(), pairs.slice(0, 4, 6).sum().item<float>() / 3, 2e-3f);
  EXPECT_NEAR(measures[0].item<float>(), 0.5f, 0.02f);
  EXPECT_NEAR(measures[1].item<float>(), 8.0f / 3, 0.1f);
}

TEST(ClipFlowMeasures, TakeRgbAsWellAsGreyAndAnyMethod) {
  const at::Tensor grey = seven_frames();
  const at::Tensor rgb = at::stack({grey, grey, grey}, 3);
  EXPECT_TRUE(to_grey(rgb).equal(grey));
  for (const auto method : {FlowMethod::farneback, FlowMethod::dis_medium}) {
    const FlowOptions options{.method = method, .threads = 2};
    const at::Tensor measures = clip_flow_measures(grey, options);
    EXPECT_TRUE(clip_flow_measures(rgb, options).equal(measures));
    EXPECT_NEAR(measures[1].item<float>(), 8.0f / 3, 0.15f);
  }
}

TEST(ClipFlowMeasures, FollowTheClipRule) {
  const at::Tensor grey = seven_frames();
  EXPECT_EQ(clip_flow_measures(grey.narrow(0, 0, 2)).numel(), 0);
  EXPECT_EQ(clip_flow_measures(grey, {}, {.clip_frames = 2, .max_frames = 5}).numel(), 2);
  EXPECT_THROW(clip_flow_measures(grey, {}, {.clip_frames = 1}), InvalidArgument);
  EXPECT_THROW(clip_flow_measures(grey, {}, {.max_frames = 0}), InvalidArgument);
  EXPECT_THROW(clip_flow_measures(at::empty({4, 20, 20, 4}, at::kByte)), InvalidArgument);
  EXPECT_THROW(clip_flow_measures(at::Tensor()), InvalidArgument);
}

}  // namespace
}  // namespace vmr::video
