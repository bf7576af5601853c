// Pins fbank to torchaudio.compliance.kaldi.fbank on noise, a tone, silence, an offset and music,
// on each device.
#include "vmr/audio/fbank.h"

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
using test::to_tensor;
using test::to_vector;

constexpr int64_t kSamples = 1000;

class FbankOn : public testing::TestWithParam<c10::DeviceType> {
 protected:
  void SetUp() override {
    if (GetParam() == c10::kCUDA && !cuda_available())
      GTEST_SKIP() << "no CUDA device that LibTorch can use";
  }
  at::Tensor run(const at::Tensor& waveform, const FbankOptions& options = {}) {
    return fbank(waveform.to(GetParam()), options).to(at::kCPU);
  }
  double error(const char* name, const at::Tensor& waveform, const FbankOptions& options = {}) {
    return max_error(to_vector(run(waveform, options)),
                     test::golden_values(test::golden("torchaudio").at("fbank"), name));
  }
};

INSTANTIATE_TEST_SUITE_P(Cpu, FbankOn, testing::Values(c10::kCPU));
INSTANTIATE_TEST_SUITE_P(Cuda, FbankOn, testing::Values(c10::kCUDA));

at::Tensor random_wave(uint32_t seed) {
  return to_tensor(test::scaled(test::noise(kSamples, seed), 0.3));
}

TEST_P(FbankOn, EqualsTorchaudio) {
  EXPECT_LT(error("noise", random_wave(1)), 1e-3);
  EXPECT_LT(error("tone", to_tensor(test::scaled(test::sine(kSamples, 440), 0.5))), 1e-3);
  EXPECT_LT(error("silence", at::zeros({kSamples})), 1e-4);
  EXPECT_LT(error("offset", to_tensor(test::scaled(test::noise(kSamples, 2), 0.001, 0.25))), 1e-3);
  const auto song = test::render({123, 1, 10}).waveform;
  EXPECT_LT(error("song", song.narrow(0, 3000, kSamples)), 1e-3);
}

TEST_P(FbankOn, EqualsTorchaudioWithOtherOptions) {
  FbankOptions other;
  other.rate_hz = 8000;
  other.mels = 23;
  other.frame_ms = 20;
  other.shift_ms = 12.5;
  other.low_hz = 100;
  other.high_hz = 3500;
  other.preemphasis = 0.9;
  EXPECT_LT(error("other", random_wave(3), other), 1e-3);
  FbankOptions raw;
  raw.remove_dc = false;
  EXPECT_LT(error("raw_dc", random_wave(4), raw), 1e-3);
  FbankOptions scaled;
  scaled.input_scale = 32768;
  EXPECT_LT(error("scaled", random_wave(1), scaled), 1e-3);
}

TEST_P(FbankOn, DoesEachItemOfABatchAlone) {
  const auto batch = run(at::stack({random_wave(1), random_wave(2), random_wave(1)}));
  EXPECT_EQ(batch.sizes(), (std::vector<int64_t>{3, 4, 80}));
  EXPECT_TRUE(at::equal(batch[0], batch[2]));
  EXPECT_LT(max_error(to_vector(batch[1]), to_vector(run(random_wave(2)))), 1e-5);
}

TEST_P(FbankOn, DoesNotDependOnWhereALongRunIsCutIntoParts) {
  const auto wave = to_tensor(test::noise(160 * 700 + 240, 9));
  const auto whole = run(wave);
  ASSERT_EQ(whole.size(0), 700);
  const auto tail = run(wave.narrow(0, 160 * 600, 160 * 100 + 240));
  EXPECT_LT(max_error(to_vector(whole.narrow(0, 600, 100)), to_vector(tail)), 1e-5);
  EXPECT_TRUE(at::equal(whole, run(wave)));
}

TEST(Fbank, CountsFrames) {
  EXPECT_EQ(fbank_frames(64000), 398);
  EXPECT_EQ(fbank_frames(399), 0);
  EXPECT_EQ(fbank_frames(400), 1);
  EXPECT_EQ(fbank_frames(560), 2);
  EXPECT_EQ(fbank(at::zeros({399})).sizes(), (std::vector<int64_t>{0, 80}));
  EXPECT_EQ(fbank(at::zeros({0, 1000})).sizes(), (std::vector<int64_t>{0, 4, 80}));
}

TEST(Fbank, GivesTheLogarithmOfTheFloorInSilence) {
  EXPECT_NEAR(fbank(at::zeros({400})).max().item<float>(), -15.9424, 1e-4);
}

TEST(Fbank, NamesWhatIsWrong) {
  EXPECT_THROW(fbank(at::zeros({1, 1, 400})), InvalidArgument);
  EXPECT_THROW(fbank(at::zeros({400}, at::kDouble)), InvalidArgument);
  const auto refused = [](auto change) {
    FbankOptions changed;
    change(changed);
    EXPECT_THROW(fbank(at::zeros({400}), changed), InvalidArgument);
  };
  refused([](auto& o) { o.rate_hz = -1; });
  refused([](auto& o) { o.frame_ms = 0; });
  refused([](auto& o) { o.frame_ms = 1000; });
  refused([](auto& o) { o.shift_ms = 0.01; });
  refused([](auto& o) { o.mels = 3; });
  refused([](auto& o) { o.high_hz = 9000; });
  refused([](auto& o) { o.low_hz = -1; });
  refused([](auto& o) { o.preemphasis = 2; });
  refused([](auto& o) { o.floor = 0; });
  refused([](auto& o) { o.input_scale = 0; });
}

}  // namespace
}  // namespace vmr::audio
