// Pins the onset curves that our tracker hears to librosa's onset strength on the same spectrogram,
// and their norm to its formula in numpy (tests/golden/make_beat_bands.py).
#include "audio/beat_bands.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <tuple>
#include <vector>

#include "audio/test_signals.h"
#include "vmr/core/json_reader.h"

namespace vmr::audio::detail {
namespace {

TEST(BeatBands, CurvesEqualLibrosasOnsetStrength) {
  constexpr int64_t kFrames = 1000;
  const std::vector<double> mel_hz{100,  150,  250,  500,  900,  1500,
                                   2000, 2300, 3000, 4000, 5500, 7000};
  const auto hiss = test::noise(kFrames * int64_t(mel_hz.size()), 3);
  std::vector<float> decibels;
  for (const double value : hiss) decibels.push_back(float(-50 + 45 * value));
  const auto bands = beat_bands({decibels, mel_hz, 100});
  const auto golden = read_json_file(VMR_TEST_DATA "/audio/beat_bands.json");
  const auto step = golden.at("step").get<size_t>();
  // The square root of the amplitude is taken from a table in eighths of a decibel.
  const std::vector<std::tuple<Band, const char*, double>> curves{{kLow, "low", 1e-4},
                                                                  {kMid, "mid", 1e-4},
                                                                  {kHigh, "high", 1e-4},
                                                                  {kAll, "all", 1e-4},
                                                                  {kLoud, "loud", 0.01}};
  for (const auto& [band, name, bound] : curves) {
    SCOPED_TRACE(name);
    const auto expected = golden.at("curves").at(name).get<std::vector<double>>();
    ASSERT_EQ(bands.curves[band].size(), size_t(kFrames));
    ASSERT_EQ(expected.size(), (size_t(kFrames) + step - 1) / step);
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(bands.curves[band][i * step], expected[i], bound) << i;
  }
}

}  // namespace
}  // namespace vmr::audio::detail
