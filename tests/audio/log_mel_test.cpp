// Pins log_mel to librosa 0.9.2, VGGish and musicnn, and to one frame worked by hand, on each
// device; items of a batch do not influence each other.
#include "vmr/audio/log_mel.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "audio/test_signals.h"
#include "vmr/core/device.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

using test::max_error;
using test::to_vector;

class LogMelOn : public testing::TestWithParam<c10::DeviceType> {
 protected:
  void SetUp() override {
    if (GetParam() == c10::kCUDA && !cuda_available())
      GTEST_SKIP() << "no CUDA device that LibTorch can use";
  }
  at::Tensor run(const at::Tensor& waveform, const LogMelOptions& options) {
    return log_mel(waveform.to(GetParam()), options).to(at::kCPU);
  }
  at::Tensor noise_ = test::to_tensor(test::scaled(test::noise(6000, 5), 0.1));
};

INSTANTIATE_TEST_SUITE_P(Cpu, LogMelOn, testing::Values(c10::kCPU));
INSTANTIATE_TEST_SUITE_P(Cuda, LogMelOn, testing::Values(c10::kCUDA));

std::vector<double> expected(const char* name) {
  return test::golden_values(test::golden("librosa").at("log_mels"), name);
}

LogMelOptions htk_options() {
  LogMelOptions options;
  options.fft_samples = options.window_samples = 512;
  options.hop_samples = 600;
  options.mels = 30;
  options.scale = MelScale::htk;
  options.area_norm = false;
  options.low_hz = 50;
  options.high_hz = 7000;
  options.log = MelLog::natural;
  options.offset = 1e-6;
  options.floor = 0;
  return options;
}

TEST_P(LogMelOn, EqualsLibrosa) {
  EXPECT_LT(max_error(to_vector(run(noise_, {})), expected("default")), 1e-3);
  LogMelOptions reflect;
  reflect.fft_samples = 1024;
  reflect.window_samples = 800;
  reflect.hop_samples = 400;
  reflect.mels = 40;
  reflect.padding = FramePadding::reflect;
  EXPECT_LT(max_error(to_vector(run(noise_, reflect)), expected("reflect")), 1e-3);
  EXPECT_LT(max_error(to_vector(run(noise_, htk_options())), expected("htk")), 1e-3);
}

TEST_P(LogMelOn, EqualsTheFrontEndsOfVggishAndMusicnn) {
  EXPECT_LT(max_error(to_vector(run(noise_, vggish_log_mel())), expected("vggish")), 1e-4);
  EXPECT_LT(max_error(to_vector(run(noise_, musicnn_log_mel())), expected("musicnn")), 1e-4);
}

TEST_P(LogMelOn, DoesEachItemOfABatchAlone) {
  const auto quiet = noise_.mul(0.001);
  const auto batch = run(at::stack({noise_, quiet, noise_}), {});
  EXPECT_TRUE(at::equal(batch[0], batch[2]));
  EXPECT_LT(max_error(to_vector(batch[0]), to_vector(run(noise_, {}))), 1e-5);
  EXPECT_LT(max_error(to_vector(batch[1]), to_vector(run(quiet, {}))), 1e-5);
}

TEST_P(LogMelOn, EqualsItselfInDouble) {
  const auto exact = run(noise_.to(at::kDouble), htk_options());
  EXPECT_EQ(exact.scalar_type(), at::kDouble);
  EXPECT_LT(max_error(to_vector(run(noise_, htk_options())), to_vector(exact)), 1e-4);
}

TEST_P(LogMelOn, GivesTheSameBitsTwice) {
  EXPECT_TRUE(at::equal(run(noise_, {}), run(noise_, {})));
}

// fft 4, rectangular-like by hand: Hann (0, .5, 1, .5) on samples (1, 2, 3, 4) is (0, 1, 3, 2):
// X1 = (0 - 3) + i (2 - 1), |X1|^2 = 10; bins 0, 2, 4 kHz at 8 kHz; one band 0 to 4 kHz whose top
// in HTK mels lies at 1437.9 Hz, so bin 1 has the weight (4000 - 2000) / (4000 - 1437.9) = 0.7806.
TEST_P(LogMelOn, EqualsAFrameWorkedByHand) {
  LogMelOptions options;
  options.rate_hz = 8000;
  options.fft_samples = options.window_samples = options.hop_samples = 4;
  options.mels = 1;
  options.scale = MelScale::htk;
  options.area_norm = false;
  options.log = MelLog::none;
  options.floor = 0;
  options.padding = FramePadding::none;
  const auto samples = test::to_tensor({1, 2, 3, 4});
  const double top = 700 * (std::sqrt(1 + 4000.0 / 700) - 1);
  const double weight = 2000 / (4000 - top);
  EXPECT_NEAR(run(samples, options).item<float>(), 10 * weight, 1e-4);
  options.power = 1;
  EXPECT_NEAR(run(samples, options).item<float>(), std::sqrt(10.0) * weight, 1e-5);
  options.area_norm = true;
  EXPECT_NEAR(run(samples, options).item<float>() * 2000, std::sqrt(10.0) * weight, 1e-5);
}

TEST(LogMel, RaisesQuietValuesToTheItemsMaximumMinusTop) {
  auto wave = at::zeros({16000});
  wave.narrow(0, 0, 6000).copy_(test::to_tensor(test::noise(6000, 7)));
  LogMelOptions options;
  options.top_decibels = 30;
  const auto values = log_mel(wave, options);
  EXPECT_NEAR(values.max().item<float>() - values.min().item<float>(), 30, 1e-4);
  options.top_decibels = 0;
  EXPECT_NEAR(log_mel(wave, options).min().item<float>(), -100, 1e-4);
}

TEST(LogMel, CountsFrames) {
  LogMelOptions options;
  EXPECT_EQ(log_mel_frames(64000, options), 126);
  EXPECT_EQ(log_mel_frames(1, options), 1);
  options.padding = FramePadding::none;
  EXPECT_EQ(log_mel_frames(2047, options), 0);
  EXPECT_EQ(log_mel_frames(2048 + 511, options), 1);
  EXPECT_EQ(log_mel_frames(2048 + 512, options), 2);
  EXPECT_EQ(log_mel(at::zeros({2, 100}), options).sizes(), (std::vector<int64_t>{2, 128, 0}));
}

TEST(LogMel, NamesWhatIsWrong) {
  EXPECT_THROW(log_mel(at::zeros({2, 1, 100})), InvalidArgument);
  EXPECT_THROW(log_mel(at::zeros({100}, at::kShort)), InvalidArgument);
  EXPECT_THROW(log_mel(at::zeros({0})), InvalidArgument);
  EXPECT_THROW(log_mel(at::Tensor()), InvalidArgument);
  LogMelOptions options;
  options.padding = FramePadding::reflect;
  EXPECT_THROW(log_mel(at::zeros({1024}), options), InvalidArgument);
  EXPECT_NO_THROW(log_mel(at::zeros({1025}), options));
  const auto refused = [](auto change) {
    LogMelOptions changed;
    change(changed);
    EXPECT_THROW(validate(changed), InvalidArgument);
  };
  refused([](auto& o) { o.rate_hz = 0; });
  refused([](auto& o) { o.fft_samples = 1023; });
  refused([](auto& o) { o.window_samples = 4096; });
  refused([](auto& o) { o.hop_samples = 0; });
  refused([](auto& o) { o.mels = 0; });
  refused([](auto& o) { o.high_hz = 8001; });
  refused([](auto& o) { o.low_hz = 8000; });
  refused([](auto& o) { o.power = 3; });
  refused([](auto& o) { o.floor = 0; });
  refused([](auto& o) { o.gain = NAN; });
  refused([](auto& o) { o.top_decibels = -1; });
}

}  // namespace
}  // namespace vmr::audio
