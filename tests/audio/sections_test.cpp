// Pins novelty against a whole checkerboard sum (tests/golden/make_sections.py) and hand-worked
// cases, and finds the changes of music whose parts differ in timbre.
#include "vmr/audio/sections.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "audio/test_signals.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

TEST(SectionNovelty, EqualsTheSumOverTheWholeCheckerboard) {
  const auto golden = nlohmann::json::parse(std::ifstream(VMR_TEST_DATA "/audio/sections.json"));
  const std::vector<double> expected = golden.at("novelty");
  auto frames = test::to_tensor(test::noise(40 * 5, 3)).view({40, 5});
  frames.narrow(0, 0, 22).select(1, 0) += 1.5;
  frames.narrow(0, 22, 18).select(1, 1) -= 1.5;
  frames[5].zero_();
  const auto novelty = test::to_vector(section_novelty(frames, 8));
  ASSERT_EQ(novelty.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(novelty[i], expected[i], 1e-6) << i;
}

TEST(SectionNovelty, IsAHalfBetweenPartsThatShareNothing) {
  auto frames = at::zeros({20, 2});
  frames.narrow(0, 0, 10).select(1, 0).fill_(3);
  frames.narrow(0, 10, 10).select(1, 1).fill_(2);
  const auto novelty = test::to_vector(section_novelty(frames, 4));
  EXPECT_NEAR(novelty[10], 0.5, 1e-12);
  EXPECT_EQ(novelty[0], 0);
  EXPECT_NEAR(novelty[3], 0, 1e-12);
  frames.narrow(0, 10, 10) = at::tensor({-3.0f, 0.0f});
  EXPECT_NEAR(section_novelty(frames, 4)[10].item<double>(), 1, 1e-12);
}

TEST(SectionPeaks, StandOutAndKeepTheirDistance) {
  const auto novelty =
      at::tensor({0., 0., 0., 0., .5, 0., .4, 0., 0., .05, 0., .3, 0., 0., 0., 0.}, at::kDouble);
  EXPECT_EQ(section_peaks(novelty, 3, 3, 0.1), (std::vector<int64_t>{4, 11}));
  EXPECT_EQ(section_peaks(novelty, 3, 2, 0.1), (std::vector<int64_t>{4, 6, 11}));
}

TEST(SectionChanges, AreWhereTheTimbreChanges) {
  // 20 s of low tones, 20 s of hiss, 20 s of low tones.
  const int64_t part = 20 * 16000;
  auto sound = test::to_tensor(test::scaled(test::sine(3 * part, 220), 0.3));
  sound += test::to_tensor(test::scaled(test::noise(3 * part, 5), 0.001));
  sound.narrow(0, part, part) = test::to_tensor(test::scaled(test::noise(part, 9), 0.2));
  const auto changes = section_changes(sound);
  ASSERT_EQ(changes.size(), 2u);
  // Half a frame of the spectrum at most: its centres are 50 ms apart, here one lies on the border.
  EXPECT_NEAR(changes[0].seconds, 20, 0.026);
  EXPECT_NEAR(changes[1].seconds, 40, 0.026);
  EXPECT_GT(changes[0].strength, 0.3);
}

TEST(SectionChanges, AreNoneInSilenceAndInShortSounds) {
  EXPECT_TRUE(section_changes(at::zeros({60 * 16000})).empty());
  EXPECT_TRUE(section_changes(test::to_tensor(test::noise(2000, 1))).empty());
  EXPECT_TRUE(section_changes(test::to_tensor(test::noise(10, 1))).empty());
}

TEST(SectionChanges, RefuseBadOptionsAndSounds) {
  EXPECT_THROW(section_changes(at::zeros({2, 16000})), InvalidArgument);
  for (const double broken : {std::nan(""), 1e20}) {
    auto sound = at::zeros({60 * 16000});
    sound[30 * 16000] = broken;
    EXPECT_THROW(section_changes(sound), InvalidArgument) << broken;
  }
  EXPECT_THROW(section_changes(at::zeros({16000}), {.kernel_seconds = 0}), InvalidArgument);
  EXPECT_THROW(section_novelty(at::zeros({4}), 2), InvalidArgument);
}

}  // namespace
}  // namespace vmr::audio
