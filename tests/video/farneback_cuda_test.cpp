// Pins the CUDA version of Farneback's flow: its kernels' code, run on the CPU thread by thread,
// against the readable reference and the CPU version; and on a device, where there is one, the same
// public functions as on the CPU.
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/stack.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "video/farneback_batch.h"
#include "video/farneback_emulation.h"
#include "video/farneback_reference.h"
#include "video/texture.h"
#include "vmr/core/device.h"
#include "vmr/core/error.h"
#include "vmr/video/optical_flow.h"
#include "vmr/video/trajectory.h"

namespace vmr::video {
namespace {

using detail::FlowResult;
using test::camera_film;

at::Tensor emulated(const std::vector<at::Tensor>& frames, const FlowOptions& options = {},
                    FlowResult result = FlowResult::fields, int64_t bins = 1,
                    bool backwards = false) {
  return detail::farneback_in_chunks(
      frames, options, result, bins,
      [&](const detail::DevicePlan& plan, const detail::FarnebackWork& work) {
        detail::run_farneback(plan, work, test::Emulation{backwards});
      });
}

struct Difference {
  double mean = 0, most = 0;
};

Difference difference(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor gap = (a - b).abs();
  return {gap.mean().item<double>(), gap.max().item<double>()};
}

at::Tensor reference(const at::Tensor& film, const FarnebackOptions& options) {
  const int64_t h = film.size(1), w = film.size(2);
  const auto* frame = film.const_data_ptr<uint8_t>();
  const auto values =
      test::farneback_reference(detail::plan_farneback(h, w, options), frame, frame + h * w);
  at::Tensor field = at::empty({1, 2, h, w}, at::kFloat);
  std::copy(values.begin(), values.end(), field.mutable_data_ptr<float>());
  return field;
}

struct Case {
  const char* name;
  int64_t h, w;
  FarnebackOptions options;
  int64_t dx = 48, dy = 16;  // of the camera, 1/16 pixel
  double most = 2e-3;        // pixels that one of them may deviate
};

// Every kernel, and every way that a picture can end inside a block.
std::vector<Case> cases() {
  return {{"usual", 64, 96, {}},
          {"smallest", 16, 16, {}},
          {"odd", 17, 33, {}},
          {"several blocks, odd, Gaussian", 70, 131, {.gaussian = true}},
          {"wide", 33, 160, {}, 30, 5},
          {"polynomials of 7, fine pyramid",
           65,
           50,
           {.pyramid_scale = 0.8, .levels = 5, .window = 9, .poly_n = 7, .poly_sigma = 1.5}},
          {"window of 17", 40, 44, {.window = 17, .gaussian = true}},
          // One pixel's equations determine a vector only along its gradient: rounding shows.
          {"window of 1", 40, 41, {.window = 1}, 48, 16, 0.2},
          {"large box", 40, 40, {.window = 40}},
          {"even window, one round",
           48,
           64,
           {.window = 10, .iterations = 1, .poly_n = 3, .poly_sigma = 0.8}},
          {"no pyramid, far", 80, 90, {.levels = 0}, 200, -150},
          {"large Gaussian, large polynomials",
           64,
           140,
           {.window = 31, .poly_n = 20, .poly_sigma = 5, .gaussian = true},
           -700,
           640}};
}

TEST(FarnebackSteps, FollowTheReadableReferenceAndTheCpu) {
  for (const auto& c : cases()) {
    const at::Tensor film = camera_film(c.h, c.w, {{1600, 1600}, {1600 - c.dx, 1600 - c.dy}}, 5);
    const FlowOptions options{.farneback = c.options};
    const at::Tensor flow = emulated({film}, options);
    const auto of_reference = difference(flow, reference(film, c.options));
    const auto of_cpu = difference(flow, optical_flow(film, options));
    EXPECT_LT(of_reference.mean, 1e-4) << c.name;
    EXPECT_LT(of_reference.most, c.most) << c.name;
    EXPECT_LT(of_cpu.mean, 1e-4) << c.name;
    EXPECT_LT(of_cpu.most, c.most) << c.name;
  }
}

TEST(FarnebackSteps, FollowTheReferenceOnNoiseAndFlatPictures) {
  const at::Tensor noise = at::stack(
      {test::noise_image(60, 70, 1, 1).squeeze(2), test::noise_image(60, 70, 1, 2).squeeze(2)});
  at::Tensor half_flat = camera_film(60, 70, {{1600, 1600}, {1552, 1584}}, 5);
  half_flat.slice(2, 30).fill_(77);
  const at::Tensor flat = at::full({2, 60, 70}, 200, at::kByte);
  for (const bool gaussian : {false, true}) {
    const FarnebackOptions options{.gaussian = gaussian};
    for (const auto& film : {noise, half_flat, flat}) {
      const auto gap =
          difference(emulated({film}, {.farneback = options}), reference(film, options));
      EXPECT_LT(gap.mean, 1e-3);
      EXPECT_LT(gap.most, 0.2);
    }
    EXPECT_LT(emulated({flat}, {.farneback = options}).abs().max().item<float>(), 1e-4f);
  }
}

TEST(FarnebackSteps, FollowTheCpuOnPairsAndOptionsOfEveryKind) {
  int64_t seed = 0;
  const auto draw = [&](int64_t low, int64_t high) {
    return low + test::mixed(static_cast<uint32_t>(++seed)) % (high - low + 1);
  };
  std::vector<double> means, lengths;
  for (int i = 0; i < 100; ++i) {
    const int64_t h = draw(16, 70), w = draw(16, 70);
    const int64_t reach = i % 4 == 0 ? 300 : 60;  // 1/16 pixel
    at::Tensor film =
        camera_film(h, w, {{800, 800}, {800 + draw(-reach, reach), 800 + draw(-reach, reach)}}, i);
    if (i % 5 == 0) film.slice(2, w / 2).fill_(draw(0, 255));
    FlowOptions options;
    auto& f = options.farneback;
    f.pyramid_scale = 0.1 * double(draw(4, 8));
    f.levels = int(draw(0, 4));
    f.window = int(draw(5, 30));
    f.iterations = int(draw(1, 4));
    f.poly_n = draw(0, 1) ? 5 : 7;
    f.poly_sigma = f.poly_n == 5 ? 1.2 : 1.5;
    f.gaussian = draw(0, 1);
    const at::Tensor cpu = optical_flow(film, options), gpu = emulated({film}, options);
    means.push_back(difference(gpu, cpu).mean);
    const at::Tensor length = emulated({film}, options, FlowResult::mean_length)[0];
    lengths.push_back(
        std::abs(mean_magnitude(film, options).item<double>() / length.item<double>() - 1));
  }
  for (auto* gaps : {&means, &lengths}) std::sort(gaps->begin(), gaps->end());
  EXPECT_LT(means[98], 1e-3) << "pixels, 99 of 100 pairs";
  EXPECT_LT(means[99], 0.02) << "pixels";
  EXPECT_LT(lengths[99], 5e-3) << "of the mean length";
}

TEST(FarnebackSteps, GiveTheSameBitsForChunksAndTheOrderOfThreads) {
  const at::Tensor film = camera_film(50, 67, {{0, 0}, {48, 16}, {90, 20}, {90, 20}, {0, 50}}, 3);
  for (const int window : {15, 25}) {
    FlowOptions options{.farneback = {.window = window}};
    for (const auto result : {FlowResult::fields, FlowResult::directions}) {
      options.workspace_bytes = 1 << 30;
      const at::Tensor whole = emulated({film}, options, result, 7);
      EXPECT_TRUE(emulated({film}, options, result, 7, true).equal(whole)) << "a race";
      for (const int64_t bytes : {0, 300'000, 400'000}) {
        options.workspace_bytes = bytes;
        EXPECT_TRUE(emulated({film}, options, result, 7).equal(whole)) << bytes;
        const auto pairs =
            emulated({film.narrow(0, 0, 4), film.narrow(0, 1, 4)}, options, result, 7);
        EXPECT_TRUE(pairs.equal(whole)) << bytes;
      }
    }
  }
}

// The field of a second pair begins 8 bytes beside a multiple of 16 there, and the level of 32
// pixels writes four vectors at once.
TEST(FarnebackSteps, WriteWhereverAChunkBegins) {
  const at::Tensor film = camera_film(65, 65, {{0, 0}, {48, 16}, {90, 20}}, 3);
  FlowOptions options;
  const at::Tensor whole = emulated({film}, options);
  options.workspace_bytes = 0;
  EXPECT_TRUE(emulated({film}, options).equal(whole));
}

TEST(FarnebackChunks, KeepToTheWorkspaceAndShareFrames) {
  const at::Tensor film = at::full({5, 50, 67}, 1, at::kByte);
  const auto chunks = [&](int64_t bytes, const std::vector<at::Tensor>& frames) {
    std::vector<std::pair<int, int>> sizes;  // slots, pairs
    detail::farneback_in_chunks(frames, {.workspace_bytes = bytes}, FlowResult::fields, 1,
                                [&](const auto&, const detail::FarnebackWork& work) {
                                  sizes.emplace_back(work.slots, work.pairs);
                                });
    return sizes;
  };
  using ::testing::ElementsAre;
  using ::testing::Pair;
  // 24 bytes a pixel and slot, 8 a pair: 295 kB for two pairs of a sequence, 402 kB for three.
  EXPECT_THAT(chunks(0, {film}), ElementsAre(Pair(2, 1), Pair(2, 1), Pair(2, 1), Pair(2, 1)));
  EXPECT_THAT(chunks(300'000, {film}), ElementsAre(Pair(3, 2), Pair(3, 2)));
  EXPECT_THAT(chunks(410'000, {film}), ElementsAre(Pair(4, 3), Pair(2, 1)));
  EXPECT_THAT(chunks(1 << 30, {film}), ElementsAre(Pair(5, 4)));
  EXPECT_THAT(chunks(1 << 30, {film, film}), ElementsAre(Pair(10, 5)));
  EXPECT_THAT(chunks(1 << 30, {film.narrow(0, 0, 1)}), ElementsAre());
}

TEST(FarnebackSteps, MakeTheSameOfFieldsAsTheCpu) {
  const at::Tensor film = camera_film(70, 83, {{0, 0}, {48, 16}, {10, 90}}, 3);
  const at::Tensor field = emulated({film});
  const at::Tensor lengths = field.square().sum(1).sqrt();
  EXPECT_TRUE(emulated({film}, {}, FlowResult::lengths).allclose(lengths, 1e-6, 1e-6));
  const at::Tensor means = emulated({film}, {}, FlowResult::mean_length).flatten();
  EXPECT_TRUE(means.allclose(lengths.flatten(1).mean(1), 1e-6, 1e-6));
  EXPECT_TRUE(means.allclose(mean_magnitude(film), 1e-5, 1e-5));
  for (const int64_t bins : {1, 3, 8, 256, 300, 3600}) {
    const at::Tensor histogram = emulated({film}, {}, FlowResult::directions, bins);
    ASSERT_EQ(histogram.sizes(), (std::vector<int64_t>{2, bins}));
    EXPECT_TRUE(histogram.sum(1).allclose(means, 1e-5, 1e-6)) << bins;
    if (bins > 8) continue;  // a vector on the edge of two bins may fall in either
    EXPECT_TRUE(histogram.allclose(direction_histogram(film, bins), 1e-3, 1e-3)) << bins;
  }
}

TEST(FarnebackSteps, TakeColourAndAFirstGuess) {
  const at::Tensor film = camera_film(96, 128, {{640, 160}, {256, 160}}, 3);
  const at::Tensor colour = at::stack({film, film.flip(1), film.flip(2)}, 3);
  EXPECT_LT(difference(emulated({colour}), optical_flow(colour)).most, 2e-3);
  for (const int levels : {0, 2}) {
    for (const int iterations : {3, 4}) {
      FlowOptions options{.farneback = {.levels = levels, .iterations = iterations}};
      options.first_guess = at::full({1, 2, 96, 128}, 0.0f, at::kFloat);
      options.first_guess.select(1, 0).slice(2, 20).fill_(22.0f);
      const at::Tensor flow = emulated({film}, options);
      EXPECT_LT(difference(flow, optical_flow(film, options)).most, 2e-3) << levels;
    }
  }
}

TEST(FarnebackSteps, FitAGridAndItsSharedMemoryForEveryOption) {
  // The emulation checks each launch.
  const at::Tensor film = camera_film(16, 20, {{0, 0}, {48, 16}}, 3);
  const FarnebackOptions widest{.window = 1024, .iterations = 1, .poly_n = 64, .poly_sigma = 20};
  for (const bool gaussian : {false, true}) {
    FlowOptions options{.farneback = widest};
    options.farneback.gaussian = gaussian;
    EXPECT_TRUE(emulated({film}, options).isfinite().all().item<bool>());
  }
  // A column of a coarse level takes more of the picture than a block filters at a time.
  const at::Tensor wide = camera_film(64, 1200, {{0, 0}, {20, 4}}, 3);
  EXPECT_LT(difference(emulated({wide}), optical_flow(wide)).mean, 1e-4);
}

class FlowOn : public testing::TestWithParam<c10::DeviceType> {
 protected:
  void SetUp() override {
    if (GetParam() == c10::kCUDA && !cuda_available())
      GTEST_SKIP() << "no CUDA device that LibTorch can use";
  }
  at::Tensor there(const at::Tensor& frames) const { return frames.to(GetParam()); }
  // No two equal frames: of a picture at rest the last row lies inside or outside by rounding.
  at::Tensor film_ = camera_film(90, 131, {{480, 480}, {432, 464}, {472, 400}, {440, 424}}, 3);
};

INSTANTIATE_TEST_SUITE_P(Cpu, FlowOn, testing::Values(c10::kCPU));
INSTANTIATE_TEST_SUITE_P(Cuda, FlowOn, testing::Values(c10::kCUDA));

TEST_P(FlowOn, FindsAKnownShift) {
  const at::Tensor flow = optical_flow(there(film_));
  EXPECT_EQ(flow.device().type(), GetParam());
  const auto mean = [&](int64_t pair, int64_t plane) {
    return flow[pair][plane].slice(0, 12, -12).slice(1, 12, -12).mean().item<float>();
  };
  EXPECT_NEAR(mean(0, 0), 3.0f, 0.02f);
  EXPECT_NEAR(mean(0, 1), 1.0f, 0.02f);
  EXPECT_NEAR(mean(1, 0), -2.5f, 0.02f);
  EXPECT_NEAR(mean(1, 1), 4.0f, 0.02f);
}

TEST_P(FlowOn, EqualsTheEmulation) {
  for (const auto& c : cases()) {
    const at::Tensor film = camera_film(c.h, c.w, {{1600, 1600}, {1600 - c.dx, 1600 - c.dy}}, 5);
    const FlowOptions options{.farneback = c.options};
    const auto gap =
        difference(optical_flow(there(film), options).to(at::kCPU), emulated({film}, options));
    EXPECT_LT(gap.mean, 1e-4) << c.name;
    EXPECT_LT(gap.most, c.most) << c.name;
  }
}

TEST_P(FlowOn, MakesTheSameOfFields) {
  const at::Tensor frames = there(film_);
  const auto expect_close = [](const at::Tensor& a, const at::Tensor& b, const char* what) {
    ASSERT_EQ(a.sizes(), b.sizes()) << what;
    const auto gap = difference(a.to(at::kCPU), b);
    EXPECT_LT(gap.mean, 1e-4) << what;
    EXPECT_LT(gap.most, 2e-3) << what;
  };
  expect_close(magnitude_map(frames), emulated({film_}, {}, FlowResult::lengths), "lengths");
  const at::Tensor means = emulated({film_}, {}, FlowResult::mean_length);
  expect_close(mean_magnitude(frames), means, "means");
  expect_close(flow_trajectory(frames).narrow(0, 1, 3), means, "trajectory");
  expect_close(direction_histogram(frames, 4), emulated({film_}, {}, FlowResult::directions, 4),
               "directions");
  const at::Tensor colour = at::stack({film_, film_.flip(1), film_.flip(2)}, 3);
  expect_close(mean_magnitude(there(colour)), emulated({colour}, {}, FlowResult::mean_length),
               "colour");
}

TEST_P(FlowOn, GivesTheSameBitsForChunksAndPairs) {
  const at::Tensor frames = there(film_);
  const at::Tensor whole = optical_flow(frames);
  EXPECT_TRUE(optical_flow(frames).equal(whole));
  EXPECT_TRUE(optical_flow(frames, {.workspace_bytes = 0}).equal(whole));
  EXPECT_TRUE(optical_flow(frames.narrow(0, 1, 2))[0].equal(whole[1]));
  EXPECT_TRUE(flow_between(frames.narrow(0, 0, 3), frames.narrow(0, 1, 3)).equal(whole));
  EXPECT_EQ(optical_flow(frames.narrow(0, 0, 1)).size(0), 0);
}

// Frames that a long queue of work is still to write: the flow waits for them by itself, and what
// reads it next waits for the flow.
TEST_P(FlowOn, KeepsTheOrderOfStreamsAndThreads) {
  const at::Tensor expected = optical_flow(there(film_));
  const bool cuda = GetParam() == c10::kCUDA;
  const c10::impl::VirtualGuardImpl device(GetParam());
  const auto body = [&](at::Tensor& result) {
    const c10::StreamGuard guard(cuda ? device.getStreamFromGlobalPool(expected.device())
                                      : device.getStream(expected.device()));
    const at::Tensor film = there(film_);
    const int64_t side = cuda ? 2048 : 16;
    at::Tensor slow = at::full({side, side}, 0.5f, expected.options());
    for (int i = 0; i < 50; ++i) slow = at::matmul(slow, slow).clamp(0, 0.5);
    const at::Tensor nothing = slow.slice(0, 0, 1).slice(1, 0, 1).mul(0).to(at::kByte);
    const at::Tensor frames = film.add(nothing);
    result = optical_flow(frames).add(0).to(at::kCPU);
  };
  std::vector<at::Tensor> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results) threads.emplace_back([&body, &result] { body(result); });
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_TRUE(result.equal(expected.to(at::kCPU)));
}

TEST_P(FlowOn, NamesWhatIsWrong) {
  const auto message = [&](const at::Tensor& frames, const FlowOptions& options = {}) {
    try {
      optical_flow(frames, options);
    } catch (const InvalidArgument& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(message(there(film_.slice(1, 0, 15))), HasSubstr("at least 16 x 16"));
  EXPECT_THAT(message(there(film_.to(at::kHalf))), HasSubstr("Half"));
  EXPECT_THAT(message(there(at::empty({2, 40, 40, 4}, at::kByte))), HasSubstr("[2, 40, 40, 4]"));
  EXPECT_THAT(message(there(film_), {.first_guess = at::full({1}, 1.0f)}), HasSubstr("[3, 2, 90"));
  EXPECT_THAT(message(there(film_), {.workspace_bytes = -1}), HasSubstr("workspace_bytes"));
  EXPECT_THROW(flow_between(there(film_), there(film_.slice(2, 1))), InvalidArgument);
  if (GetParam() != c10::kCUDA) return;
  EXPECT_THAT(message(there(film_), {.method = FlowMethod::dis_fast}), HasSubstr("to the CPU"));
  EXPECT_THROW(flow_between(there(film_), film_), InvalidArgument);
}

}  // namespace
}  // namespace vmr::video
