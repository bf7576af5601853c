// Pins energy_curve by hand-worked levels.
#include "vmr/audio/energy.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "audio/test_signals.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

TEST(EnergyCurve, OfASineIsThreeDecibelBelowFullScale) {
  // 100 Hz has whole periods in a tenth of a second.
  const auto loud = test::sine(16000, 100);
  const auto curve = energy_curve(test::to_tensor(loud));
  ASSERT_EQ(curve.size(0), 10);
  for (const double value : test::to_vector(curve)) EXPECT_NEAR(value, -3.0103, 1e-3);
  const auto soft = energy_curve(test::to_tensor(test::scaled(loud, 0.1)));
  EXPECT_NEAR(soft[4].item<double>(), -23.0103, 1e-3);
}

TEST(EnergyCurve, TakesWholeHopsAndNamesSilenceTheFloor) {
  auto sound = at::zeros({4100});
  sound.narrow(0, 1600, 1600).fill_(0.5);
  const auto curve = test::to_vector(energy_curve(sound));
  ASSERT_EQ(curve.size(), 2u);
  EXPECT_FLOAT_EQ(float(curve[0]), -70.0f);
  EXPECT_NEAR(curve[1], -6.0206, 1e-3);
  EXPECT_EQ(energy_curve(at::zeros({100})).size(0), 0);
}

TEST(EnergyCurve, RefusesWhatIsNoSound) {
  EXPECT_THROW(energy_curve(at::zeros({2, 16000})), InvalidArgument);
  EXPECT_THROW(energy_curve(at::full({100}, std::nan(""))), InvalidArgument);  // less than a hop
  auto sound = at::zeros({16000});
  sound[15999] = 1e20;  // its square is infinite
  EXPECT_THROW(energy_curve(sound), InvalidArgument);
  EXPECT_THROW(energy_curve(at::zeros({16000}), {.hop_seconds = 0}), InvalidArgument);
}

}  // namespace
}  // namespace vmr::audio
