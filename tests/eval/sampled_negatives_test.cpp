// Pins figures of small random galleries: hand-worked ranks, weights, draws and what is refused.
#include "vmr/eval/sampled_negatives.h"

#include <ATen/Context.h>
#include <ATen/ops/rand.h>

#include <cmath>
#include <limits>

#include "eval/eval_fixture.h"
#include "vmr/core/error.h"

namespace vmr::eval {
namespace {

// Three films of two tracks; all others are drawn, so that ranks are those of the whole gallery.
const Ids kTracks = {0, 0, 1};
const double kNaN = std::numeric_limits<double>::quiet_NaN();

SampledBothWays all_of(const at::Tensor& scores, std::vector<int64_t> ks, bool inverse = false) {
  return sampled_negatives({scores, scores}, kTracks,
                           {.negatives = 9, .ks = ks, .inverse_popularity = inverse});
}

TEST(SampledNegatives, HaveTheRanksOfTheDraw) {
  // Film 0: its track, column 0, is second of three; film 1: first; film 2: column 1 is third.
  const auto scores = matrix({{0.5, 0.9, 0.1}, {0.9, 0.5, 0.1}, {0.9, 0.1, 0.5}});
  const auto both = all_of(scores, {1, 2, 3});
  EXPECT_EQ(both.video_to_music.pairs, 3);
  EXPECT_EQ(both.video_to_music.gallery, 3);
  EXPECT_NEAR(both.video_to_music.recall.at(1).value, 1.0 / 3, 1e-12);
  EXPECT_NEAR(both.video_to_music.recall.at(2).value, 2.0 / 3, 1e-12);
  EXPECT_NEAR(both.video_to_music.recall.at(3).value, 1, 1e-12);
  EXPECT_NEAR(both.video_to_music.ndcg.at(2).value, (1 + std::log(2.0) / std::log(3.0)) / 3, 1e-12);
  EXPECT_EQ(both.video_to_music.recall.at(1).deviation, 0);
  // Track 0 asks for film 0 (.5) and film 1 (.9) beside film 2 (.9): second, and first by its
  // lower index; track 1 for film 2 (.1) beside both of track 0.
  EXPECT_EQ(both.music_to_video.gallery, 3);
  // Both films of track 0 stand beside one other, that of track 1 beside two.
  EXPECT_NEAR(both.music_to_video.recall.at(1).chance, (0.5 + 0.5 + 1.0 / 3) / 3, 1e-12);
  EXPECT_NEAR(both.music_to_video.recall.at(1).value, 1.0 / 3, 1e-12);
  EXPECT_NEAR(both.music_to_video.recall.at(2).value, 2.0 / 3, 1e-12);
}

TEST(SampledNegatives, PopularTracksWeighLess) {
  const auto scores = matrix({{0.9, 0.5}, {0.1, 0.5}, {0.9, 0.1}});
  EXPECT_NEAR(all_of(scores, {1}).video_to_music.recall.at(1).value, 1.0 / 3, 1e-12);
  EXPECT_NEAR(all_of(scores, {1}, true).video_to_music.recall.at(1).value, 0.25, 1e-12);
}

TEST(SampledNegatives, NaNRanksLast) {
  const auto scores = matrix({{kNaN, 0.1}, {0.1, kNaN}, {kNaN, -1.0}});
  EXPECT_NEAR(all_of(scores, {1}).video_to_music.recall.at(1).value, 2.0 / 3, 1e-12);
}

TEST(SampledNegatives, DrawsDependOnTheSeedAlone) {
  const int64_t films = 200;
  Ids tracks;
  for (int64_t i = 0; i < films; ++i) tracks.push_back(i);
  at::manual_seed(3);
  const auto scores = at::rand({films, films}, at::kDouble);
  const SampledOptions options{.negatives = 9, .ks = {1, 3}, .repeats = 20, .seed = 4};
  const auto first = sampled_negatives({scores, scores}, tracks, options);
  const auto again = sampled_negatives({scores.mul(2), scores.add(1)}, tracks, options);
  for (const int64_t k : options.ks) {
    EXPECT_EQ(first.video_to_music.recall.at(k).value, again.video_to_music.recall.at(k).value);
    // Random ranks among ten of 200 items, which keep their scores: k / 10, .03 the deviation.
    EXPECT_NEAR(first.video_to_music.recall.at(k).value, 0.1 * double(k), 0.1);
    EXPECT_NEAR(first.music_to_video.recall.at(k).value, 0.1 * double(k), 0.1);
  }
  EXPECT_GT(first.video_to_music.recall.at(1).deviation, 0.005);
  EXPECT_LT(first.video_to_music.recall.at(1).deviation, 0.05);
  auto other = options;
  other.seed = 5;
  EXPECT_NE(sampled_negatives({scores, scores}, tracks, other).video_to_music.recall.at(1).value,
            first.video_to_music.recall.at(1).value);
}

TEST(SampledNegatives, SayWhatIsWrong) {
  const auto scores = matrix({{1, 2}, {1, 2}, {1, 2}});
  const auto refused = [&](const SampledOptions& options, const Ids& tracks = kTracks) {
    EXPECT_THROW(sampled_negatives({scores, scores}, tracks, options), InvalidArgument);
  };
  refused({.negatives = 0});
  refused({.repeats = 0});
  refused({.ks = {0}});
  refused({.ks = {}});
  refused({}, {0, 1});
  refused({}, {0, 1, 2});
  EXPECT_THROW(sampled_negatives({scores, scores.t()}, kTracks), InvalidArgument);
}

}  // namespace
}  // namespace vmr::eval
