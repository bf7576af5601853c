// Pins that sound without a beat gets none: noise of twelve colours and kinds of near silence from
// the beat corpus, and uneven syllables. benchmarks/results/beats.md has more.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "audio/test_signals.h"
#include "support/corpus/noises.h"
#include "vmr/audio/beat.h"

namespace vmr::audio {
namespace {

// The second half of the minute; noise at half of full scale, silence at its own level.
std::vector<double> beats_of(const corpus::NoiseKind& kind) {
  synth::Random random(5, kind.name);
  const auto samples = kind.make(random);
  const auto half = samples.begin() + long(samples.size() / 2);
  std::vector<double> wave(half, samples.end());
  double peak = 1e-9;
  for (const double value : wave) peak = std::max(peak, std::abs(value));
  for (double& value : wave) value *= 0.5 / std::max(peak, 0.5);
  return track_beats(test::to_tensor(wave), {.rate_hz = corpus::kRateHz}).beats_seconds;
}

TEST(BeatAbstention, NoiseOfAnyColourHasNoBeats) {
  for (const auto& kind : corpus::noise_kinds()) EXPECT_TRUE(beats_of(kind).empty()) << kind.name;
}

// Clicks at random times do get some: they are what a beat is made of.
TEST(BeatAbstention, NearSilenceHasNoBeats) {
  const std::set<std::string> kinds{"digital", "dither", "hiss", "room"};
  for (const auto& kind : corpus::silence_kinds()) {
    if (!kinds.contains(kind.name)) continue;
    EXPECT_TRUE(beats_of(kind).empty()) << kind.name;
  }
}

// As speech has them: a beginning each 0.12 to 0.42 seconds, of any loudness. Each has a tempo for a
// moment, and none keeps to it.
TEST(BeatAbstention, SyllablesOfUnevenLengthHaveNoBeats) {
  const auto vowel = test::sine(4000, 180);
  for (const uint32_t seed : {1, 2, 3, 4, 5, 6}) {
    auto wave = test::scaled(test::noise(40 * int64_t(test::kRate), 20 + seed), 0.001);
    const auto lengths = test::noise(1000, seed), loudness = test::noise(1000, 10 + seed);
    double at = 0.5;
    for (size_t i = 0; at < 39.5; ++i) {
      test::add_hit(wave, at * test::kRate, 0.3 + 0.2 * loudness[i], 900, vowel);
      at += 0.27 + 0.15 * lengths[i];
    }
    EXPECT_TRUE(track_beats(test::to_tensor(wave)).beats_seconds.empty()) << seed;
  }
}

}  // namespace
}  // namespace vmr::audio
