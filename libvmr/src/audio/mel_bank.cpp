#include "audio/mel_bank.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vmr::audio::detail {
namespace {

// Slaney: 200/3 Hz a mel up to 1 kHz = 15 mel, then a factor 6.4 in 27 mel.
constexpr double kSlaneyHzPerMel = 200.0 / 3.0;
constexpr double kSlaneyBreakHz = 1000.0;
constexpr double kSlaneyBreakMel = 15.0;
const double kSlaneyLogStep = std::log(6.4) / 27.0;

double to_mel(double hz, MelScale scale) {
  switch (scale) {
    case MelScale::slaney:
      return hz < kSlaneyBreakHz ? hz / kSlaneyHzPerMel
                                 : kSlaneyBreakMel + std::log(hz / kSlaneyBreakHz) / kSlaneyLogStep;
    case MelScale::htk:
      return 2595.0 * std::log10(1.0 + hz / 700.0);
    case MelScale::kaldi:
      break;
  }
  return 1127.0 * std::log(1.0 + hz / 700.0);
}

double to_hz(double mel, MelScale scale) {
  switch (scale) {
    case MelScale::slaney:
      return mel < kSlaneyBreakMel
                 ? mel * kSlaneyHzPerMel
                 : kSlaneyBreakHz * std::exp((mel - kSlaneyBreakMel) * kSlaneyLogStep);
    case MelScale::htk:
      return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0);
    case MelScale::kaldi:
      break;
  }
  return 700.0 * (std::exp(mel / 1127.0) - 1.0);
}

}  // namespace

MelBank make_mel_bank(const MelBankOptions& options) {
  const bool straight_in_mel = options.scale == MelScale::kaldi;
  const double low = to_mel(options.low_hz, options.scale);
  const double step =
      (to_mel(options.high_hz, options.scale) - low) / static_cast<double>(options.mels + 1);
  const int64_t bins = options.fft_samples / 2 + 1;
  const double bin_hz = options.rate_hz / static_cast<double>(options.fft_samples);
  std::vector<double> edge(options.mels + 2), edge_hz(options.mels + 2), bin(bins);
  for (int64_t i = 0; i < options.mels + 2; ++i) {
    const double mel = low + step * static_cast<double>(i);
    edge_hz[i] = to_hz(mel, options.scale);
    edge[i] = straight_in_mel ? mel : edge_hz[i];
  }
  for (int64_t k = 0; k < bins; ++k) {
    const double hz = bin_hz * static_cast<double>(k);
    bin[k] = straight_in_mel ? to_mel(hz, options.scale) : hz;
  }
  // Kaldi and VGGish leave out the bin at half the rate.
  const auto end = straight_in_mel ? bin.end() - 1 : bin.end();
  MelBank bank;
  bank.offset.push_back(0);
  for (int64_t m = 0; m < options.mels; ++m) {
    const double norm = options.area_norm ? 2.0 / (edge_hz[m + 2] - edge_hz[m]) : 1.0;
    const auto begin = std::upper_bound(bin.begin(), end, edge[m]);
    bank.first.push_back(static_cast<int32_t>(begin - bin.begin()));
    for (auto at = begin; at != end && *at < edge[m + 2]; ++at) {
      const double up = (*at - edge[m]) / (edge[m + 1] - edge[m]);
      const double down = (edge[m + 2] - *at) / (edge[m + 2] - edge[m + 1]);
      bank.weights.push_back(norm * std::min(up, down));
    }
    bank.offset.push_back(static_cast<int32_t>(bank.weights.size()));
  }
  return bank;
}

std::vector<double> mel_centres(const MelBankOptions& options) {
  const double low = to_mel(options.low_hz, options.scale);
  const double step =
      (to_mel(options.high_hz, options.scale) - low) / static_cast<double>(options.mels + 1);
  std::vector<double> centres(options.mels);
  for (int64_t m = 0; m < options.mels; ++m)
    centres[m] = to_hz(low + step * static_cast<double>(m + 1), options.scale);
  return centres;
}

std::vector<double> hann_periodic(int64_t samples) {
  std::vector<double> window(samples);
  const double step = 2.0 * std::numbers::pi / static_cast<double>(samples);
  for (int64_t n = 0; n < samples; ++n)
    window[n] = 0.5 - 0.5 * std::cos(step * static_cast<double>(n));
  return window;
}

std::vector<double> povey(int64_t samples) {
  std::vector<double> window(samples);
  const double step = 2.0 * std::numbers::pi / static_cast<double>(samples - 1);
  for (int64_t n = 0; n < (samples + 1) / 2; ++n) {
    const double value = std::pow(0.5 - 0.5 * std::cos(step * static_cast<double>(n)), 0.85);
    window[n] = window[samples - 1 - n] = value;
  }
  return window;
}

}  // namespace vmr::audio::detail
