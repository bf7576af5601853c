// Pins what a build without OpenCV says.
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmr/core/error.h"
#include "vmr/video/clip_flow.h"
#include "vmr/video/frame.h"
#include "vmr/video/trajectory.h"

namespace vmr::video {
namespace {

template <typename Call>
void expect_not_built(Call call) {
  try {
    call();
    FAIL() << "nothing thrown";
  } catch (const NotBuilt& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("VMR_WITH_OPENCV=OFF"));
  }
}

TEST(WithoutOpencv, OpencvsFlowAndKernelsNameTheSwitch) {
  const at::Tensor grey = at::full({4, 20, 20}, 3, at::kByte);
  const FlowOptions opencv{.method = FlowMethod::farneback_opencv};
  expect_not_built([&] { optical_flow(grey, opencv); });
  expect_not_built([&] { mean_magnitude(grey, opencv); });
  expect_not_built([&] { flow_trajectory(grey, {.method = FlowMethod::dis_fast}); });
  expect_not_built([&] { clip_flow_measures(grey, opencv); });
  expect_not_built([&] {
    resize(at::full({20, 20, 3}, 3, at::kByte), 10, 10, ResizeKernel::opencv_area);
  });
}

}  // namespace
}  // namespace vmr::video
