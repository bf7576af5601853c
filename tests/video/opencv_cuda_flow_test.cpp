// Pins OpenCV's CUDA flow to its CPU version, also behind slow work on another stream and under
// threads, where it is built and a device is present; elsewhere, the sentence that says why not.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "video/texture.h"
#include "vmr/core/device.h"
#include "vmr/core/error.h"
#include "vmr/video/optical_flow.h"

namespace vmr::video {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const FlowOptions kCudaoptflow{.method = FlowMethod::farneback_cudaoptflow};

at::Tensor film() {
  return test::camera_film(120, 160, {{480, 480}, {432, 464}, {472, 400}, {472, 400}}, 3);
}

// Why the method cannot run here; nothing where it can.
std::optional<std::string> obstacle() {
  try {
    optical_flow(film(), kCudaoptflow);
  } catch (const NotBuilt& error) {
    return error.what();
  } catch (const CudaError& error) {
    return error.what();
  }
  return std::nullopt;
}

TEST(CudaoptflowMethod, SaysWhatIsMissing) {
  const auto reason = obstacle();
  if (!reason) GTEST_SKIP() << "it is built and a device is present";
  EXPECT_THAT(*reason, AllOf(HasSubstr("farneback_cudaoptflow"), HasSubstr("use farneback")));
  EXPECT_THAT(*reason, ::testing::AnyOf(HasSubstr("cmake/build_opencv_cuda.sh"),
                                        HasSubstr("found no CUDA device")));
}

class Cudaoptflow : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = obstacle()) GTEST_SKIP() << *reason;
  }
};

// On a device's tensors too.
class CudaoptflowOnTensors : public Cudaoptflow {
 protected:
  void SetUp() override {
    Cudaoptflow::SetUp();
    if (!cuda_available()) GTEST_SKIP() << "no CUDA device that LibTorch can use";
  }
};

void expect_near(const at::Tensor& found, const at::Tensor& expected) {
  ASSERT_EQ(found.sizes(), expected.sizes());
  const auto deviation = (found - expected).square().sum(1).sqrt();
  EXPECT_LT(deviation.mean().item<double>(), 0.02);
  EXPECT_LT(deviation.flatten().quantile(0.99).item<double>(), 0.2);
}

TEST_F(Cudaoptflow, AgreesWithOpencvsCpuVersionWithEveryOption) {
  for (const FarnebackOptions& farneback :
       {FarnebackOptions{}, FarnebackOptions{.pyramid_scale = 0.7, .levels = 2, .window = 21},
        FarnebackOptions{.window = 12, .iterations = 5, .poly_n = 7, .poly_sigma = 1.5},
        FarnebackOptions{.levels = 0, .gaussian = true}}) {
    FlowOptions cpu{.method = FlowMethod::farneback_opencv, .farneback = farneback};
    FlowOptions cuda{.method = FlowMethod::farneback_cudaoptflow, .farneback = farneback};
    expect_near(optical_flow(film(), cuda), optical_flow(film(), cpu));
    cpu.first_guess = cuda.first_guess = at::full({3, 2, 120, 160}, 1.5, at::kFloat);
    expect_near(optical_flow(film(), cuda), optical_flow(film(), cpu));
  }
}

TEST_F(Cudaoptflow, RefusesWhatItsConstantMemoryHasNoRoomFor) {
  const auto message = [](const FarnebackOptions& farneback) {
    try {
      optical_flow(film(), {.method = FlowMethod::farneback_cudaoptflow, .farneback = farneback});
    } catch (const InvalidArgument& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  EXPECT_THAT(message({.poly_n = 6}), HasSubstr("poly_n 5 or 7, got 6"));
  EXPECT_THAT(message({.window = 202, .gaussian = true}), HasSubstr("to 201 pixels, got 202"));
}

TEST_F(Cudaoptflow, GivesEqualBitsUnderThreads) {
  const auto expected = optical_flow(film(), kCudaoptflow);
  FlowOptions other = kCudaoptflow;  // would overwrite the weights of the others
  other.farneback.poly_n = 7;
  const auto expected_other = optical_flow(film(), other);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round) {
        const auto found = optical_flow(film(), i % 2 ? other : kCudaoptflow);
        EXPECT_TRUE(found.equal(i % 2 ? expected_other : expected)) << i << " " << round;
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_F(CudaoptflowOnTensors, ReadsFramesThatAreStillBeingMade) {
  const auto expected = optical_flow(film(), kCudaoptflow);
  for (int round = 0; round < 10; ++round) {
    // Some ten milliseconds of work, and the frames at the end of it.
    auto slow = at::ones({4096, 4096}, at::device(at::kCUDA).dtype(at::kFloat));
    for (int i = 0; i < 10; ++i) slow = slow.mm(slow).clamp_(0, 1);
    const auto frames = film().to(at::kCUDA).mul(slow[0][0].to(at::kByte));
    const auto found = optical_flow(frames, kCudaoptflow);
    EXPECT_TRUE(found.is_cuda());
    EXPECT_TRUE(found.cpu().equal(expected)) << round;
    const auto pair = flow_between(frames.slice(0, 0, 1), frames.slice(0, 1, 2), kCudaoptflow);
    EXPECT_TRUE(pair[0].cpu().equal(expected[0])) << round;
  }
}

TEST_F(CudaoptflowOnTensors, TakesAFirstGuessOnTheDeviceAndLeavesItAsItIs) {
  FlowOptions options = kCudaoptflow;
  options.first_guess = at::full({3, 2, 120, 160}, 1.5, at::kFloat);
  const auto expected = optical_flow(film(), options);
  options.first_guess = options.first_guess.to(at::kCUDA);
  const auto found = optical_flow(film().to(at::kCUDA), options);
  EXPECT_TRUE(found.cpu().equal(expected));
  EXPECT_EQ(options.first_guess.min().item<float>(), 1.5f);
  EXPECT_EQ(options.first_guess.max().item<float>(), 1.5f);
}

}  // namespace
}  // namespace vmr::video
