// Pins libvmr's Farneback flow to OpenCV's on 500 pairs: textures, noise, flat parts, large motion,
// odd sizes, every option.
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "video/texture.h"
#include "vmr/video/optical_flow.h"

namespace vmr::video {
namespace {

struct Pair {
  at::Tensor frames;  // [2, h, w]
  FlowOptions options;
};

// All choices come from one generator, so that a failure can be found again by its number.
Pair make_pair(int number) {
  std::mt19937 random(1000u + static_cast<unsigned>(number));
  const auto pick = [&](int low, int high) {
    return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
  };
  const int64_t h = number % 10 == 0 ? 16 : pick(16, 110), w = number % 7 == 0 ? 16 : pick(16, 150);
  const int far = number % 4 == 0 ? 400 : 60;  // 1/16 pixel
  const int dx = pick(-far, far), dy = pick(-far, far);
  Pair pair;
  pair.frames = test::camera_film(h, w, {{1000, 1000}, {1000 + dx, 1000 + dy}}, number);
  switch (number % 5) {
    case 1:  // nothing in common
      pair.frames = test::noise_image(2 * h, w, 1, number).reshape({2, h, w});
      break;
    case 2:  // flat in part
      pair.frames.slice(1, h / 2).slice(2, w / 3).fill_(90);
      break;
    case 3:  // noise on top
      pair.frames = (pair.frames.to(at::kShort) +
                     test::noise_image(2 * h, w, 1, number).reshape({2, h, w}).to(at::kShort) / 40)
                        .clamp(0, 255)
                        .to(at::kByte);
      break;
    default:
      break;
  }
  if (number % 3 != 0) {
    auto& f = pair.options.farneback;
    const double scales[] = {0.5, 0.5, 0.6, 0.75, 0.8, 0.9};
    f.pyramid_scale = scales[pick(0, 5)];
    f.levels = pick(0, 5);
    f.window = pick(5, 35);  // smaller ones leave flat parts to chance
    f.iterations = pick(1, 5);
    f.poly_n = pick(0, 1) ? 5 : 7;
    f.poly_sigma = f.poly_n == 5 ? 1.1 : 1.5;
    f.gaussian = pick(0, 2) == 0;
  }
  if (number % 6 == 4) {  // a pixel beside the motion, to the other side in the upper half
    auto& guess = pair.options.first_guess = at::empty({1, 2, h, w}, at::kFloat);
    guess.select(1, 0).fill_(1 - dx / 16.0);
    guess.select(1, 1).fill_(1 - dy / 16.0);
    guess.slice(2, 0, h / 2).sub_(2);
  }
  return pair;
}

at::Tensor opencv(const at::Tensor& frames, FlowOptions options) {
  options.method = FlowMethod::farneback_opencv;
  return optical_flow(frames, options)[0];
}

at::Tensor lengths(const at::Tensor& field) { return field.square().sum(0).sqrt(); }

// Where the answer of OpenCV itself hangs on one grey level it is noise: compared are the pixels
// whose vector moves by less than 0.2 pixel when half of the second frame's are one level brighter.
TEST(FarnebackBesideOpencv, AgreesOn500Pairs) {
  int64_t compared = 0, pixels = 0;
  for (int number = 0; number < 500; ++number) {
    const auto pair = make_pair(number);
    const at::Tensor ours = optical_flow(pair.frames, pair.options)[0];
    const at::Tensor theirs = opencv(pair.frames, pair.options);
    at::Tensor changed = pair.frames.clone();
    changed[1] =
        (changed[1].to(at::kShort) +
         (test::noise_image(pair.frames.size(1), pair.frames.size(2), 1, number + 7).squeeze(2) >
          127)
             .to(at::kShort))
            .clamp_max(255)
            .to(at::kByte);
    const at::Tensor firm = lengths(opencv(changed, pair.options) - theirs) < 0.2;
    const at::Tensor deviation = lengths(ours - theirs).masked_select(firm);
    pixels += firm.numel();
    compared += deviation.numel();
    if (deviation.numel() == 0) continue;
    const at::Tensor sorted = std::get<0>(deviation.sort());
    const float p99 = sorted[sorted.numel() * 99 / 100].item<float>();
    EXPECT_LT(deviation.mean().item<float>(), 0.02f) << number;
    EXPECT_LT(p99, 0.2f) << number;
    const double mean = lengths(ours).masked_select(firm).mean().item<double>();
    const double expected = lengths(theirs).masked_select(firm).mean().item<double>();
    EXPECT_NEAR(mean, expected, 0.005 * expected + 1e-4) << number;
  }
  EXPECT_GT(double(compared), 0.5 * double(pixels));
}

TEST(FarnebackBesideOpencv, EndsNoFartherFromAKnownMotion) {
  for (int number = 0; number < 40; ++number) {
    const int dx = (number * 37) % 120 - 60, dy = (number * 53) % 90 - 45;
    const at::Tensor film = test::camera_film(90, 120, {{900, 900}, {900 - dx, 900 - dy}}, number);
    at::Tensor truth = optical_flow(film)[0].clone();
    truth[0].fill_(dx / 16.0);
    truth[1].fill_(dy / 16.0);
    const auto error = [&](const at::Tensor& flow) {
      return lengths(flow - truth).mean().item<double>();
    };
    EXPECT_LE(error(optical_flow(film)[0]), error(opencv(film, {})) * 1.0001 + 1e-5) << number;
  }
}

TEST(FarnebackBesideOpencv, TakesTheSameFirstGuess) {
  const at::Tensor film = test::camera_film(96, 130, {{640, 160}, {340, 200}}, 3);
  for (const int levels : {0, 2}) {
    FlowOptions options{.farneback = {.levels = levels}};
    options.first_guess = optical_flow(test::camera_film(96, 130, {{640, 160}, {400, 160}}, 9));
    const at::Tensor ours = optical_flow(film, options)[0];
    EXPECT_LT(lengths(ours - opencv(film, options)).mean().item<float>(), 1e-3f) << levels;
  }
}

}  // namespace
}  // namespace vmr::video
