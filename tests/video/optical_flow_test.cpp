// Pins flow to known shifts and to OpenCV's Python results, trajectories to their definition, and
// independence of batch and threads bit for bit.
#include "vmr/video/optical_flow.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core/utility.hpp>

#include "video/texture.h"
#include "vmr/core/error.h"
#include "vmr/video/trajectory.h"

namespace vmr::video {
namespace {

using test::camera_film;
using test::Corner;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::vector<std::pair<std::string, FlowMethod>> kMethods = {
    {"farneback", FlowMethod::farneback},
    {"farneback_opencv", FlowMethod::farneback_opencv},
    {"dis_ultrafast", FlowMethod::dis_ultrafast},
    {"dis_fast", FlowMethod::dis_fast},
    {"dis_medium", FlowMethod::dis_medium}};

// The picture moves (3, 1) pixels, then (-2.5, 4), then rests.
at::Tensor moving_film(int64_t h = 120, int64_t w = 160) {
  return camera_film(h, w, {{480, 480}, {432, 464}, {472, 400}, {472, 400}}, 3);
}

FlowOptions with(FlowMethod method) { return {.method = method}; }

float inner_mean(const at::Tensor& plane) {
  return plane.slice(0, 12, -12).slice(1, 12, -12).mean().item<float>();
}

TEST(OpticalFlow, FindsAKnownShift) {
  for (const auto& [name, method] : kMethods) {
    const at::Tensor flow = optical_flow(moving_film(), with(method));
    ASSERT_EQ(flow.sizes(), (std::vector<int64_t>{3, 2, 120, 160})) << name;
    ASSERT_EQ(flow.scalar_type(), at::kFloat);
    const float bound = name.starts_with("farneback")      ? 0.02f
                        : method == FlowMethod::dis_medium ? 0.05f
                                                           : 0.25f;
    EXPECT_NEAR(inner_mean(flow[0][0]), 3.0f, bound) << name;
    EXPECT_NEAR(inner_mean(flow[0][1]), 1.0f, bound) << name;
    EXPECT_NEAR(inner_mean(flow[1][0]), -2.5f, bound) << name;
    EXPECT_NEAR(inner_mean(flow[1][1]), 4.0f, bound) << name;
    // Equal frames: zero but for Farneback's borders.
    EXPECT_LT(flow[2].slice(1, 12, -12).slice(2, 12, -12).abs().max().item<float>(), 1e-3f) << name;
    EXPECT_LT(flow[2].abs().max().item<float>(), 0.1f) << name;
  }
}

// Measured: OpenCV 4.6 and 5.0 differ by less than 1e-6 pixel at every pixel compared.
TEST(OpticalFlow, AgreesWithOpencvFromPython) {
  const auto cases = test::golden("flow.json").at("flow");
  ASSERT_EQ(cases.size(), 4u);
  for (const auto& item : cases) {
    const int64_t h = item.at("size")[0], w = item.at("size")[1];
    std::vector<Corner> corners;
    for (const auto& corner : item.at("corners")) corners.push_back({corner[0], corner[1]});
    const at::Tensor grey = camera_film(h, w, corners, item.at("seed"));
    ASSERT_EQ(test::hash_of(grey), item.at("frames_hash").get<std::string>());
    const auto& f = item.at("farneback");
    const FlowOptions options{.farneback = {.pyramid_scale = f[0],
                                            .levels = f[1],
                                            .window = f[2],
                                            .iterations = f[3],
                                            .poly_n = f[4],
                                            .poly_sigma = f[5],
                                            .gaussian = f[6] != 0}};
    const auto expected = item.at("magnitudes").get<std::vector<float>>();
    const at::Tensor means = mean_magnitude(grey, options);
    ASSERT_EQ(static_cast<size_t>(means.numel()), expected.size());
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(means.const_data_ptr<float>()[i], expected[i], 1e-5f + 1e-5f * expected[i]);
    const at::Tensor field = optical_flow(grey, options)[1];
    for (int64_t k = 0; k < 2; ++k) {
      const auto values = item.at("field")[k].get<std::vector<float>>();
      size_t at = 0;
      for (int64_t y = 0; y < h; y += 24)
        for (int64_t x = 0; x < w; x += 24)
          EXPECT_NEAR(field[k][y][x].item<float>(), values.at(at++), 1e-4f) << y << " " << x;
      EXPECT_EQ(at, values.size());
    }
  }
}

TEST(MeanMagnitude, IsTheMeanLengthOfTheVectors) {
  const at::Tensor grey = moving_film();
  for (const auto& [name, method] : kMethods) {
    const at::Tensor flow = optical_flow(grey, with(method)).to(at::kDouble);
    const at::Tensor lengths = flow.square().sum(1).sqrt().flatten(1).mean(1).to(at::kFloat);
    EXPECT_TRUE(mean_magnitude(grey, with(method)).allclose(lengths, 1e-6, 1e-7)) << name;
  }
}

TEST(OpticalFlow, IsTheSameBitsForAnyThreadsAndAnyBatch) {
  const at::Tensor grey = moving_film(97, 131);
  const int threads_before = cv::getNumThreads();
  for (const auto& [name, method] : kMethods) {
    FlowOptions options = with(method);
    const at::Tensor reference = optical_flow(grey, options);
    EXPECT_EQ(cv::getNumThreads(), threads_before) << "OpenCV's setting was changed";
    options.threads = 3;
    EXPECT_TRUE(optical_flow(grey, options).equal(reference)) << name;
    for (const int opencv_threads : {1, 2}) {
      cv::setNumThreads(opencv_threads);
      EXPECT_TRUE(optical_flow(grey, options).equal(reference)) << name << " " << opencv_threads;
    }
    cv::setNumThreads(threads_before);
    for (int64_t i = 0; i + 1 < grey.size(0); ++i)
      EXPECT_TRUE(optical_flow(grey.narrow(0, i, 2), options)[0].equal(reference[i])) << name;
  }
}

TEST(OpticalFlow, IsEmptyBelowTwoFrames) {
  for (const int64_t frames : {0, 1}) {
    const at::Tensor grey = at::full({frames, 20, 30}, 7, at::kByte);
    EXPECT_EQ(optical_flow(grey).sizes(), (std::vector<int64_t>{0, 2, 20, 30}));
    EXPECT_EQ(mean_magnitude(grey).numel(), 0);
  }
}

TEST(OpticalFlow, TakesTheSmallestFramesAndSaysWhyNotSmallerOnes) {
  for (const auto& [name, method] : kMethods) {
    const at::Tensor flow = optical_flow(moving_film(16, 16), with(method));
    EXPECT_TRUE(flow.isfinite().all().item<bool>()) << name;
  }
  const auto message = [](const at::Tensor& grey, const FlowOptions& options = {}) {
    try {
      optical_flow(grey, options);
    } catch (const InvalidArgument& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  EXPECT_THAT(message(at::empty({2, 15, 40}, at::kByte)), HasSubstr("at least 16 x 16"));
  EXPECT_THAT(message(at::empty({2, 40, 40}, at::kFloat)), HasSubstr("Float"));
  EXPECT_THAT(message(at::empty({2, 40, 40}, at::kHalf)), HasSubstr("Half"));
  EXPECT_THAT(message(at::empty({2, 40, 40, 3}, at::kHalf)),
              AllOf(HasSubstr("optical_flow:"), HasSubstr("Half"), HasSubstr("to uint8")));
  EXPECT_THAT(message(at::empty({2, 40, 40, 4}, at::kByte)),
              AllOf(HasSubstr("[2, 40, 40, 4]"), HasSubstr("fourth channel")));
  EXPECT_THAT(message(at::empty({2, 3, 40, 40}, at::kByte)),
              AllOf(HasSubstr("optical_flow:"), HasSubstr("channels last")));
  EXPECT_THAT(message(at::empty({40, 40}, at::kByte)), HasSubstr("[1, h, w]"));
  EXPECT_THAT(message(at::Tensor()), HasSubstr("an undefined tensor"));
  EXPECT_THAT(message(at::empty({2, 0, 40}, at::kByte)), HasSubstr("at least 16 x 16"));
  EXPECT_THAT(message(at::empty({2, 16, 16385}, at::kByte)), HasSubstr("up to 16384"));
  EXPECT_THAT(message(moving_film(), {.farneback = {.pyramid_scale = std::nan("")}}),
              HasSubstr("pyramid_scale"));
  EXPECT_THAT(message(moving_film(), {.farneback = {.poly_sigma = std::nan("")}}),
              HasSubstr("poly_sigma"));
  EXPECT_THAT(message(moving_film(16, 640), with(FlowMethod::dis_fast)), HasSubstr("16 x 640"));
  EXPECT_THAT(message(moving_film(), {.farneback = {.pyramid_scale = 1.0}}),
              HasSubstr("pyramid_scale must be in (0, 1), got 1"));
  EXPECT_THAT(message(moving_film(), {.farneback = {.window = 0}}), HasSubstr("window"));
  EXPECT_THAT(message(moving_film(), {.farneback = {.levels = -1}}), HasSubstr("levels"));
  EXPECT_THAT(message(moving_film(), {.farneback = {.iterations = 0}}), HasSubstr("iterations"));
  EXPECT_THAT(message(moving_film(), {.farneback = {.poly_n = 0}}), HasSubstr("poly_n"));
  EXPECT_THAT(message(moving_film(), {.farneback = {.poly_sigma = 0}}), HasSubstr("poly_sigma"));
  EXPECT_THAT(message(moving_film(), {.threads = -1}), HasSubstr("threads"));
}

TEST(FlowTrajectory, RepeatsTheFirstPairForTheFirstFrame) {
  const at::Tensor grey = moving_film();
  const at::Tensor values = flow_trajectory(grey), pairs = mean_magnitude(grey);
  ASSERT_EQ(values.numel(), 4);
  EXPECT_TRUE(values.slice(0, 1).equal(pairs));
  EXPECT_EQ(values[0].item<float>(), values[1].item<float>());
  EXPECT_NEAR(values[1].item<float>(), std::sqrt(10.0f), 0.1f);
  EXPECT_NEAR(values[2].item<float>(), std::sqrt(2.5f * 2.5f + 16.0f), 0.15f);
}

TEST(FlowTrajectory, IsZeroForOneFrameAndEmptyForNone) {
  const at::Tensor one = flow_trajectory(moving_film().narrow(0, 0, 1));
  ASSERT_EQ(one.sizes(), (std::vector<int64_t>{1}));
  EXPECT_EQ(one[0].item<float>(), 0.0f);
  EXPECT_EQ(flow_trajectory(at::empty({0, 20, 30}, at::kByte)).numel(), 0);
}

}  // namespace
}  // namespace vmr::video
