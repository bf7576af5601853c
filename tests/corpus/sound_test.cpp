// Pins WAV files and what recordings go through: levels, noise, fades, MP3 that keeps its time.
#include "support/corpus/sound.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "support/temp_folder.h"

namespace vmr::corpus {
namespace {

Samples tone(double seconds) {
  Samples samples(size_t(seconds * kRateHz));
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = 0.4f * std::sin(0.05f * float(i));
  return samples;
}

double power(const Samples& samples) {
  double sum = 0;
  for (const float sample : samples) sum += double(sample) * sample;
  return sum / double(samples.size());
}

TEST(Sound, ComesBackFromAWavFile) {
  const test::TempFolder folder;
  const auto samples = tone(0.3);
  write_wav(folder / "a.wav", samples);
  const auto back = read_wav(folder / "a.wav");
  ASSERT_EQ(back.size(), samples.size());
  for (size_t i = 0; i < back.size(); ++i) ASSERT_NEAR(back[i], samples[i], 1e-4) << i;
  EXPECT_THROW(read_wav(folder / "none.wav"), std::runtime_error);
}

TEST(Sound, HasNoiseAsFarBelowTheMusicAsSaid) {
  for (const double snr : {6.0, 20.0}) {
    auto noisy = tone(4);
    const auto clean = noisy;
    add_noise(noisy, snr, 3);
    for (size_t i = 0; i < noisy.size(); ++i) noisy[i] -= clean[i];
    EXPECT_NEAR(10 * std::log10(power(clean) / power(noisy)), snr, 1.5);
  }
}

TEST(Sound, IsTreatedInItsWholeLength) {
  const test::TempFolder folder;
  auto samples = tone(4);
  EXPECT_TRUE(apply({.fade_in_seconds = 1, .fade_out_seconds = 2, .level_db = -20}, 1,
                    folder.path(), samples));
  EXPECT_EQ(samples.size(), tone(4).size());
  float peak = 0;
  for (const float sample : samples) peak = std::max(peak, std::abs(sample));
  EXPECT_NEAR(peak, 0.1, 1e-5);
  const auto part = [&](double from) {
    const auto at = samples.begin() + std::ptrdiff_t(from * kRateHz);
    return std::sqrt(power(Samples(at, at + 2000)));
  };
  EXPECT_NEAR(part(0.5) / part(1.5), std::pow(0.5, 1.5), 0.03);
  EXPECT_NEAR(part(3) / part(1.5), std::pow(0.5, 1.5), 0.03);
}

TEST(Sound, KeepsItsTimeThroughMp3) {
  if (!run_program({"ffmpeg", "-version"})) GTEST_SKIP() << "the program ffmpeg is not installed";
  const test::TempFolder folder;
  auto samples = tone(3);
  for (size_t i = 0; i < samples.size(); ++i)
    samples[i] *= i % 22050 < 4000 ? 1 : 0.02f;  // bursts of 90 ms
  const auto clean = samples;
  if (!apply({.level_db = -8, .mp3_kbps = 48}, 1, folder.path(), samples))
    GTEST_SKIP() << "this ffmpeg has no MP3 encoder";
  ASSERT_EQ(samples.size(), clean.size());
  const auto together = [&](int lag) {
    double sum = 0;
    for (size_t i = 15000; i < 50000; ++i) sum += samples[size_t(int(i) + lag)] * clean[i];
    return sum;
  };
  int best = -1500;  // an encoder that is not compensated is 1105 late
  for (int lag = -1500; lag <= 1500; ++lag)
    if (together(lag) > together(best)) best = lag;
  EXPECT_LE(std::abs(best), 2);
}

}  // namespace
}  // namespace vmr::corpus
