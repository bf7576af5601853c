// Pins libvmr's Farneback flow: every instruction set against the readable arithmetic of one pixel,
// known shifts, and identical bits whatever threads, bands and neighbours are.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "video/farneback_cpu.h"
#include "video/farneback_reference.h"
#include "video/texture.h"
#include "vmr/core/error.h"
#include "vmr/video/optical_flow.h"
#include "vmr/video/trajectory.h"

namespace vmr::video {
namespace {

using test::camera_film;

std::vector<const detail::FarnebackKernels*> instruction_sets() {
  std::vector<const detail::FarnebackKernels*> sets = {detail::farneback_portable()};
  for (const auto* set : {detail::farneback_avx2(), detail::farneback_avx512()}) {
    if (set) sets.push_back(set);
  }
  return sets;
}

struct Case {
  int64_t h, w;
  FarnebackOptions options;
  int64_t dx = 48, dy = 16;  // of the camera, 1/16 pixel
};

std::vector<Case> cases() {
  return {
      {64, 96, {}},
      {16, 16, {}},
      {17, 33, {}},
      {70, 131, {.gaussian = true}},
      {65, 50, {.pyramid_scale = 0.8, .levels = 5, .window = 9, .poly_n = 7, .poly_sigma = 1.5}},
      {40, 40, {.window = 40}},
      {48, 64, {.window = 10, .iterations = 1, .poly_n = 3, .poly_sigma = 0.8}},
      {80, 90, {.levels = 0}, 200, -150},
      {64, 64, {.window = 31, .poly_n = 20, .poly_sigma = 5, .gaussian = true}, -700, 640}};
}

// Largest difference of two fields, pixels.
double difference(detail::Planes a, const std::vector<float>& b, int64_t h, int64_t w) {
  double most = 0;
  for (int64_t p = 0; p < 2; ++p) {
    for (int64_t y = 0; y < h; ++y) {
      for (int64_t x = 0; x < w; ++x) {
        most = std::max(most, double(std::abs(a.row(y, p)[x] - b[(p * h + y) * w + x])));
      }
    }
  }
  return most;
}

TEST(Farneback, EveryInstructionSetFollowsTheReadableReference) {
  for (const auto& c : cases()) {
    const at::Tensor film = camera_film(c.h, c.w, {{1600, 1600}, {1600 - c.dx, 1600 - c.dy}}, 5);
    const auto* frame = film.const_data_ptr<uint8_t>();
    const auto plan = detail::plan_farneback(c.h, c.w, c.options);
    const auto expected = test::farneback_reference(plan, frame, frame + c.h * c.w);
    for (const auto* set : instruction_sets()) {
      detail::FarnebackWorker worker(plan, *set);
      const auto flow = worker.flow(0, frame, 1, frame + c.h * c.w);
      EXPECT_LT(difference(flow, expected, c.h, c.w), 2e-3)
          << set->name << " " << c.w << " x " << c.h << " window " << c.options.window;
    }
  }
}

// The others are only chosen where a processor lacks the best one.
TEST(Farneback, EveryInstructionSetGivesTheSameBitsInBands) {
  const int64_t h = 200, w = 150;
  const at::Tensor film = camera_film(h, w, {{1600, 1600}, {1552, 1584}}, 5);
  const at::Tensor guess = at::full({2, h, w}, 2.5f, at::kFloat);
  const auto* frame = film.const_data_ptr<uint8_t>();
  for (const auto& options :
       {FarnebackOptions{}, FarnebackOptions{.window = 10, .iterations = 6, .poly_n = 7},
        FarnebackOptions{.pyramid_scale = 0.8, .window = 31, .gaussian = true}}) {
    const auto plan = detail::plan_farneback(h, w, options);
    for (const auto* set : instruction_sets()) {
      for (const float* begin : {(const float*)nullptr, guess.const_data_ptr<float>()}) {
        detail::FarnebackWorker alone(plan, *set), shared(plan, *set, 3);
        const auto whole = alone.flow(0, frame, 1, frame + h * w, begin);
        const auto bands = shared.flow(0, frame, 1, frame + h * w, begin);
        for (int64_t p = 0; p < 2; ++p) {
          for (int64_t y = 0; y < h; ++y) {
            ASSERT_EQ(std::memcmp(whole.row(y, p), bands.row(y, p), sizeof(float) * w), 0)
                << set->name << " window " << options.window << " row " << y;
          }
        }
      }
    }
  }
}

TEST(Farneback, LeavesNothingOfAStrongEdgeInFlatRowsBelowIt) {
  // Rows of noise, then flat ones: what moves above must not appear below.
  at::Tensor film = camera_film(200, 64, {{0, 0}, {64, 0}}, 8);
  film.slice(1, 60).fill_(128);
  const at::Tensor below = optical_flow(film).slice(2, 100);
  EXPECT_LT(below.abs().max().item<float>(), 1e-4f);
}

TEST(Farneback, IsTheSameBitsForThreadsBandsAndNeighbours) {
  const at::Tensor film = camera_film(200, 150, {{0, 0}, {48, 16}, {90, 20}, {90, 20}}, 3);
  // 6 iterations do not all stay in the cache together.
  for (const auto& farneback : {FarnebackOptions{}, FarnebackOptions{.iterations = 6},
                                FarnebackOptions{.iterations = 6, .gaussian = true}}) {
    FlowOptions options{.farneback = farneback};
    const at::Tensor whole = optical_flow(film, options);
    // More threads than pairs: each pair is computed in bands.
    for (const int threads : {2, 3, 12}) {
      options.threads = threads;
      EXPECT_TRUE(optical_flow(film, options).equal(whole)) << threads;
      EXPECT_TRUE(optical_flow(film.narrow(0, 1, 2), options)[0].equal(whole[1])) << threads;
    }
    const at::Tensor pairs = flow_between(film.narrow(0, 0, 3), film.narrow(0, 1, 3), options);
    EXPECT_TRUE(pairs.equal(whole));
  }
}

TEST(Farneback, BeginsAtAFirstGuess) {
  // 24 pixels are too far for one level; from a guess near it the shift is found.
  const at::Tensor film = camera_film(96, 128, {{640, 160}, {256, 160}}, 3);
  FlowOptions options{.farneback = {.levels = 0, .iterations = 10}};
  const auto middle = [](const at::Tensor& flow) {
    return flow[0][0].slice(0, 30, 66).slice(1, 50, 100).mean().item<float>();
  };
  EXPECT_GT(std::abs(middle(optical_flow(film, options)) - 24), 5.0f);
  at::Tensor guess = at::full({1, 2, 96, 128}, 0.0f, at::kFloat);
  guess.select(1, 0).fill_(22.0f);
  options.first_guess = guess;
  EXPECT_NEAR(middle(optical_flow(film, options)), 24.0f, 0.1f);
  options.first_guess = guess[0];
  EXPECT_THROW(optical_flow(film, options), InvalidArgument);
  options.first_guess = guess;
  options.method = FlowMethod::dis_fast;
  EXPECT_THROW(optical_flow(film, options), InvalidArgument);
}

TEST(Farneback, TakesColourAndFramesThatAreNotContiguous) {
  const at::Tensor film = camera_film(64, 80, {{0, 0}, {48, 16}}, 3);
  const at::Tensor flow = optical_flow(film);
  EXPECT_TRUE(optical_flow(at::stack({film, film, film}, 3)).equal(flow));
  const at::Tensor wide = at::cat({film, film}, 2).slice(2, 0, 80);
  ASSERT_FALSE(wide.is_contiguous());
  EXPECT_TRUE(optical_flow(wide).equal(flow));
  EXPECT_THROW(flow_between(film, film.slice(2, 1)), InvalidArgument);
}

TEST(FlowSummaries, AddUpToTheField) {
  const at::Tensor film = camera_film(60, 70, {{0, 0}, {48, 16}, {10, 90}}, 3);
  const at::Tensor lengths = optical_flow(film).square().sum(1).sqrt();
  EXPECT_TRUE(magnitude_map(film).allclose(lengths, 1e-6, 1e-6));
  const at::Tensor means = mean_magnitude(film);
  EXPECT_TRUE(means.allclose(lengths.flatten(1).mean(1), 1e-5, 1e-6));
  for (const int64_t bins : {1, 4, 8}) {
    const at::Tensor histogram = direction_histogram(film, bins);
    ASSERT_EQ(histogram.sizes(), (std::vector<int64_t>{2, bins}));
    EXPECT_TRUE(histogram.sum(1).allclose(means, 1e-5, 1e-6));
  }
  // The camera goes right and down, so the picture moves left and up: 180 to 270 degrees.
  const auto first = direction_histogram(film, 4)[0];
  EXPECT_GT(first[2].item<float>(), 0.95f * means[0].item<float>());
  EXPECT_THROW(direction_histogram(film, 0), InvalidArgument);
}

TEST(MagnitudeStream, GivesTheBitsOfAllFramesAtOnce) {
  const at::Tensor film = camera_film(60, 70, {{0, 0}, {48, 16}, {10, 90}, {10, 90}}, 3);
  const at::Tensor expected = mean_magnitude(film);
  MagnitudeStream stream;
  EXPECT_EQ(stream.push(film[0]), 0.0f);
  for (int64_t i = 1; i < 4; ++i) {
    // The frame may go as soon as it was pushed.
    EXPECT_EQ(stream.push(film[i].clone()), expected[i - 1].item<float>()) << i;
  }
  EXPECT_THROW(stream.push(film[0].slice(0, 0, 40)), InvalidArgument);
  EXPECT_THROW(stream.push(film), InvalidArgument);
}

TEST(FlowOptions, WithoutAnAnswerAreRefused) {
  const at::Tensor film = camera_film(60, 70, {{0, 0}, {48, 16}}, 3);
  EXPECT_THROW(optical_flow(film, {.farneback = {.poly_sigma = 0.1}}), InvalidArgument);
  FlowOptions options;
  options.first_guess = at::full({1, 2, 60, 70}, std::nanf(""), at::kFloat);
  EXPECT_THROW(optical_flow(film, options), InvalidArgument);
}

}  // namespace
}  // namespace vmr::video
