// Pins the kinds of noise, silence and speech: their colour, level and length, and that they follow
// the seed.
#include "support/corpus/no_music.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "support/corpus/noises.h"
#include "support/corpus/speech.h"
#include "support/temp_folder.h"

namespace vmr::corpus {
namespace {

using Json = nlohmann::json;

double power(const Samples& samples) {
  double sum = 0;
  for (const float sample : samples) sum += double(sample) * sample;
  return sum / double(samples.size());
}

// Of neighbouring samples: 0 for white noise, near 1 for dark, below 0 for bright sound.
double correlation(const Samples& samples) {
  double sum = 0;
  for (size_t i = 1; i < samples.size(); ++i) sum += double(samples[i]) * samples[i - 1];
  return sum / double(samples.size()) / power(samples);
}

std::map<std::string, Samples> made(std::span<const NoiseKind> kinds, uint64_t seed) {
  std::map<std::string, Samples> sounds;
  for (const auto& kind : kinds) {
    synth::Random random(seed, kind.name);
    sounds[kind.name] = kind.make(random);
  }
  return sounds;
}

TEST(NoiseKinds, HaveTheirColours) {
  const auto sounds = made(noise_kinds(), 1);
  for (const auto& [name, samples] : sounds) {
    EXPECT_EQ(samples.size(), size_t(kNoMusicSeconds * kRateHz)) << name;
    EXPECT_GT(power(samples), 1e-7) << name;
  }
  // A one-pole low pass of pole p has correlation 1 - p, p = 1 - exp(-2 pi f / rate).
  const double pass = std::exp(-6.2832 * 22000 / kRateHz);
  EXPECT_NEAR(correlation(sounds.at("white")), pass, 0.003);
  EXPECT_GT(correlation(sounds.at("brown")), 0.985);
  EXPECT_GT(correlation(sounds.at("pink")), 0.6);
  EXPECT_LT(correlation(sounds.at("pink")), 0.98);
  // Differences of x with correlations r1, r2: (2 r1 - 1 - r2) / (2 - 2 r1); here r2 = r1^2.
  EXPECT_NEAR(correlation(sounds.at("violet")), -(1 - pass) / 2, 0.003);
  EXPECT_LT(correlation(sounds.at("blue")), 0);
  EXPECT_GT(correlation(sounds.at("blue")), correlation(sounds.at("violet")));
}

TEST(SilenceKinds, AreAsQuietAsTheyAreMeantToBe) {
  const auto sounds = made(silence_kinds(), 3);
  EXPECT_EQ(power(sounds.at("digital")), 0);
  EXPECT_LE(power(sounds.at("dither")), 1 / (32767.0 * 32767));
  EXPECT_LT(power(sounds.at("hiss")), 1e-8);
  const auto peak = [&](const char* name) {
    float top = 0;
    for (const float sample : sounds.at(name)) top = std::max(top, std::abs(sample));
    return 20 * std::log10(top);
  };
  EXPECT_NEAR(peak("hiss"), -80, 0.01);
  for (const char* name : {"hum", "room", "clicks"}) {
    EXPECT_LT(peak(name), -5) << name;
    EXPECT_GT(peak(name), -60) << name;
  }
}

TEST(NoiseKinds, FollowTheSeed) {
  const auto some = noise_kinds().subspan(5, 2);
  const auto once = made(some, 4);
  EXPECT_EQ(made(some, 4), once);
  for (const auto& [name, samples] : made(some, 5)) EXPECT_NE(samples, once.at(name)) << name;
}

TEST(SpeechKinds, SoundForAMinuteInTurnsAndCrowds) {
  const test::TempFolder folder;
  for (const std::string wanted : {"turns", "counting", "over_noise"}) {
    const auto kinds = speech_kinds();
    const auto kind = int(std::find(kinds.begin(), kinds.end(), wanted) - kinds.begin());
    synth::Random random(1, wanted);
    const auto speech = speech_of(kind, 1, random, folder.path());
    ASSERT_EQ(speech.samples.size(), size_t(kNoMusicSeconds * kRateHz));
    EXPECT_EQ(speech.tags.contains("espeak"), speech.tags.contains("de")) << wanted;
    // Somebody speaks in each five seconds.
    for (size_t begin = 0; begin < speech.samples.size(); begin += 5 * kRateHz) {
      const auto* first = speech.samples.data() + begin;
      EXPECT_GT(power({first, first + 5 * kRateHz}), 1e-6) << wanted << " " << begin;
    }
  }
}

TEST(NoMusic, FilesHoldEachSetsKindsAndNoBeats) {
  const std::map<NoMusic, std::string> seconds{{NoMusic::noise, "none_01_pink"},
                                               {NoMusic::silence, "none_01_dither"},
                                               {NoMusic::speech, "none_01_fast"},
                                               {NoMusic::mixed, "none_01_pink_noise"}};
  for (const auto& [set, name] : seconds) {
    const test::TempFolder folder;
    EXPECT_EQ(write_no_music(folder.path(), set, 1, 2), 2);
    const auto truth = Json::parse(std::ifstream(folder / (name + ".json")));
    EXPECT_TRUE(truth.at("beats").empty());
    EXPECT_EQ(truth.at("kind"), name.substr(8));
    EXPECT_EQ(read_wav(folder / (name + ".wav")).size(), size_t(60 * kRateHz));
  }
}

}  // namespace
}  // namespace vmr::corpus
