// Pins cut detection on generated films with known cuts: clean, noisy, panning, flashing.
#include "vmr/video/cuts.h"

#include <ATen/ops/empty.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "video/texture.h"
#include "vmr/core/error.h"

namespace vmr::video {
namespace {

using test::mixed;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct FilmOptions {
  int64_t shots = 8;
  int64_t shot_frames = 24;       // the k-th shot is k frames longer
  double pixels_per_frame = 1.0;  // speed of the camera, another direction in each shot
  int noise = 0;                  // +- grey levels per pixel and frame
  bool same_palette = false;      // all shots share colours, only the pictures differ
  int64_t height = 72, width = 128;
  double fps = 25.0;
  uint32_t seed = 1;
};

struct Film {
  at::Tensor frames;
  std::vector<double> times;
  std::vector<double> cuts;
};

// A shot: a textured plane between two colours, seen by a moving camera.
Film make_film(const FilmOptions& o) {
  int64_t total = 0;
  for (int64_t k = 0; k < o.shots; ++k) total += o.shot_frames + k;
  Film film{.frames = at::empty({total, o.height, o.width, 3}, at::kByte)};
  auto* pixel = film.frames.mutable_data_ptr<uint8_t>();
  uint32_t noise_state = o.seed;
  int64_t frame = 0;
  for (int64_t shot = 0; shot < o.shots; ++shot) {
    const uint32_t key = mixed(o.seed * 977 + static_cast<uint32_t>(o.same_palette ? 0 : shot));
    int dark[3], bright[3];
    for (int c = 0; c < 3; ++c) {
      dark[c] = static_cast<int>(mixed(key + c) % 90);
      bright[c] = 150 + static_cast<int>(mixed(key + 7 + c) % 105);
      if (mixed(key + 13 + c) % 3 == 0) bright[c] = dark[c] + 40;
    }
    const double angle = 2.4 * static_cast<double>(shot) + o.seed;
    for (int64_t i = 0; i < o.shot_frames + shot; ++i, ++frame) {
      if (i == 0 && shot > 0) film.cuts.push_back(static_cast<double>(frame) / o.fps);
      film.times.push_back(static_cast<double>(frame) / o.fps);
      const double way = 16 * o.pixels_per_frame * static_cast<double>(i);
      const auto x0 = static_cast<int64_t>(16000 + way * std::cos(angle));
      const auto y0 = static_cast<int64_t>(16000 + way * std::sin(angle));
      for (int64_t y = 0; y < o.height; ++y) {
        for (int64_t x = 0; x < o.width; ++x) {
          const int level = test::plane(x * 16 + x0, y * 16 + y0, 1000 * o.seed + 10 * shot);
          for (int c = 0; c < 3; ++c, ++pixel) {
            int value = dark[c] + (bright[c] - dark[c]) * level / 255;
            if (o.noise > 0)
              value += static_cast<int>(mixed(noise_state++) % (2 * o.noise + 1)) - o.noise;
            *pixel = static_cast<uint8_t>(std::clamp(value, 0, 255));
          }
        }
      }
    }
  }
  return film;
}

struct Quality {
  double recall = 0, precision = 0;
};

// A cut counts as found only at its exact frame.
Quality quality(const Film& film, const CutOptions& options = {}) {
  const auto found = detect_cuts(film.frames, film.times, options);
  double hits = 0;
  for (const Cut& cut : found)
    hits += std::count(film.cuts.begin(), film.cuts.end(), cut.seconds) > 0;
  return {film.cuts.empty() ? 1.0 : hits / static_cast<double>(film.cuts.size()),
          found.empty() ? 1.0 : hits / static_cast<double>(found.size())};
}

TEST(DetectCuts, FindsEveryCutOfCleanFilms) {
  for (const uint32_t seed : {1u, 2u, 3u, 4u}) {
    const auto q = quality(make_film({.seed = seed}));
    EXPECT_EQ(q.recall, 1.0) << seed;
    EXPECT_EQ(q.precision, 1.0) << seed;
  }
}

TEST(DetectCuts, FindsCutsBetweenPicturesOfTheSameColours) {
  for (const uint32_t seed : {5u, 6u}) {
    const auto q = quality(make_film({.same_palette = true, .seed = seed}));
    EXPECT_EQ(q.recall, 1.0) << seed;
    EXPECT_EQ(q.precision, 1.0) << seed;
  }
}

TEST(DetectCuts, StandsNoiseAndFastPans) {
  double recall = 0, precision = 0, films = 0;
  for (const uint32_t seed : {1u, 2u, 3u}) {
    for (const auto& [noise, speed] : {std::pair{25, 1.0}, {0, 8.0}, {20, 6.0}}) {
      const auto q = quality(make_film({.pixels_per_frame = speed, .noise = noise, .seed = seed}));
      recall += q.recall;
      precision += q.precision;
      ++films;
      EXPECT_GE(q.recall, 0.85) << seed << " noise " << noise << " speed " << speed;
      EXPECT_GE(q.precision, 0.85) << seed << " noise " << noise << " speed " << speed;
    }
  }
  EXPECT_GE(recall / films, 0.9);
  EXPECT_GE(precision / films, 0.9);
}

TEST(DetectCuts, FindsNothingInOneShot) {
  for (const double speed : {0.0, 1.0, 4.0, 10.0}) {
    const auto film =
        make_film({.shots = 1, .shot_frames = 60, .pixels_per_frame = speed, .noise = 10});
    EXPECT_THAT(detect_cuts(film.frames, film.times), IsEmpty()) << speed;
  }
}

TEST(DetectCuts, IgnoresThingsThatMoveThroughTheShot) {
  auto film = make_film({.shots = 2, .shot_frames = 40, .pixels_per_frame = 0});
  // A bright disc of a quarter of the height crosses the picture at 5 pixels a frame.
  const int64_t h = film.frames.size(1), w = film.frames.size(2), radius = h / 4;
  auto* pixel = film.frames.mutable_data_ptr<uint8_t>();
  for (int64_t i = 0; i < film.frames.size(0); ++i) {
    const int64_t centre = (i * 5) % (w + 2 * radius) - radius;
    for (int64_t y = 0; y < h; ++y) {
      for (int64_t x = 0; x < w; ++x) {
        const int64_t dx = x - centre, dy = y - h / 2;
        if (dx * dx + dy * dy > radius * radius) continue;
        for (int c = 0; c < 3; ++c) pixel[((i * h + y) * w + x) * 3 + c] = c == 0 ? 250 : 200;
      }
    }
  }
  const auto q = quality(film);
  EXPECT_EQ(q.recall, 1.0);
  EXPECT_EQ(q.precision, 1.0);
}

TEST(DetectCuts, DoesNotTakeAFadeForACut) {
  auto film = make_film({.shots = 1, .shot_frames = 50});
  for (int64_t i = 0; i < 50; ++i)
    film.frames[i].copy_(film.frames[i].to(at::kFloat).mul(static_cast<double>(50 - i) / 50));
  EXPECT_THAT(detect_cuts(film.frames, film.times), IsEmpty());
}

TEST(DetectCuts, WorksAtTheRateAndSizeOfFlowFrames) {
  const auto q = quality(make_film({.shots = 6,
                                    .shot_frames = 9,
                                    .pixels_per_frame = 3,
                                    .height = 120,
                                    .width = 160,
                                    .fps = 3}));
  EXPECT_EQ(q.recall, 1.0);
  EXPECT_EQ(q.precision, 1.0);
}

TEST(DetectCuts, DoesNotTakeAFlashForACut) {
  auto film = make_film({.shots = 2, .shot_frames = 30});
  for (const int64_t frame : {10, 11, 45}) {
    at::Tensor picture = film.frames[frame];
    picture.fill_(250);
  }
  const auto q = quality(film);
  EXPECT_EQ(q.recall, 1.0);
  EXPECT_EQ(q.precision, 1.0);
}

TEST(DetectCuts, KeepsTheStrongerOfTwoCutsInAShortTime) {
  const auto film = make_film({.shots = 3, .shot_frames = 4, .fps = 25});
  EXPECT_EQ(detect_cuts(film.frames, film.times, {.min_shot_seconds = 0.1}).size(), 2u);
  const auto one = detect_cuts(film.frames, film.times, {.min_shot_seconds = 0.3});
  ASSERT_EQ(one.size(), 1u);
  const auto scores = cut_scores(film.frames);
  EXPECT_EQ(one[0].score, *std::max_element(scores.begin(), scores.end()));
}

TEST(CutScores, AreZeroForEqualFramesAndNearOneForUnlikeOnes) {
  at::Tensor frames = at::empty({3, 32, 48, 3}, at::kByte);
  frames[0].fill_(10);
  frames[1].fill_(10);
  frames[2].fill_(240);
  const auto scores = cut_scores(frames);
  ASSERT_EQ(scores.size(), 2u);
  EXPECT_EQ(scores[0], 0.0);
  EXPECT_GT(scores[1], 0.99);
  EXPECT_LE(scores[1], 1.0);
}

TEST(DetectCuts, SaysWhatIsWrong) {
  const at::Tensor frames = make_film({.shots = 1, .shot_frames = 3}).frames;
  const auto message = [&](const std::vector<double>& times, const CutOptions& options = {}) {
    try {
      detect_cuts(frames, times, options);
    } catch (const InvalidArgument& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  EXPECT_THAT(message({0, 1}), HasSubstr("2 times for 3 frames"));
  EXPECT_THAT(message({0, 1, 1}), HasSubstr("must rise"));
  EXPECT_THAT(message({0, 1, 2}, {.min_score = 1.0}), HasSubstr("min_score"));
  EXPECT_THAT(message({0, 1, 2}, {.local_ratio = 1.0}), HasSubstr("local_ratio"));
  EXPECT_THAT(message({0, 1, 2}, {.min_shot_seconds = -1}), HasSubstr("min_shot_seconds"));
  EXPECT_THAT(detect_cuts(frames.narrow(0, 0, 1), {0.0}), IsEmpty());
  EXPECT_THAT(detect_cuts(frames.narrow(0, 0, 0), {}), IsEmpty());
  EXPECT_THROW(detect_cuts(at::empty({2, 8, 8, 3}, at::kByte), {0.0, 1.0}), InvalidArgument);
}

}  // namespace
}  // namespace vmr::video
