#include "audio/beat_steps.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/fft_irfft.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/view_as_real.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "audio/mel_bank.h"

namespace vmr::audio::detail {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int64_t kWindowsAtOnce = 256;

// The curve with half a window of straight line to 0 on both sides.
std::vector<double> ramped(std::span<const double> onset, int64_t half) {
  std::vector<double> padded(onset.size() + 2 * half);
  std::copy(onset.begin(), onset.end(), padded.begin() + half);
  for (int64_t i = 0; i < half; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(half);
    padded[i] = part * onset.front();
    padded[padded.size() - 1 - i] = part * onset.back();
  }
  return padded;
}

// Autocorrelation of each row of windows [rows, fft], by the power spectrum.
at::Tensor autocorrelation(const at::Tensor& windows) {
  const auto spectrum = at::fft_rfft(windows);
  return at::fft_irfft(at::mul(spectrum, spectrum.conj()), windows.size(1));
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + values.size() / 2;
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

// The frame the chain ends at: the last peak of the cumulated score above half of the peaks'
// median; -1 without peaks.
int64_t last_beat(std::span<const double> total) {
  const auto frames = static_cast<int64_t>(total.size());
  std::vector<int64_t> peaks;
  std::vector<double> heights;
  for (int64_t i = 1; i < frames; ++i) {
    if (total[i] > total[i - 1] && total[i] >= total[std::min(i + 1, frames - 1)]) {
      peaks.push_back(i);
      heights.push_back(total[i]);
    }
  }
  if (peaks.empty()) return -1;
  const double threshold = median(heights);
  for (size_t i = peaks.size(); i-- > 0;)
    if (2 * heights[i] > threshold) return peaks[i];
  return -1;
}

}  // namespace

std::vector<double> mean_autocorrelation(std::span<const double> onset, int64_t window,
                                         int64_t step) {
  const int64_t half = window / 2;
  const auto padded = ramped(onset, half);
  const auto taper = hann_periodic(window);
  const auto frames = static_cast<int64_t>(onset.size());
  const int64_t count = (frames + step - 1) / step;
  const auto fft = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(2 * window)));
  std::vector<double> mean(window);
  auto windows = at::empty({std::min(count, kWindowsAtOnce), fft}, at::kDouble);
  for (int64_t begin = 0; begin < count; begin += kWindowsAtOnce) {
    const int64_t rows = std::min(kWindowsAtOnce, count - begin);
    auto some = windows.narrow(0, 0, rows).zero_();
    auto* values = some.mutable_data_ptr<double>();
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = 0; i < window; ++i)
        values[row * fft + i] = padded[(begin + row) * step + i] * taper[i];
    const auto result = autocorrelation(some).contiguous();
    const auto* lags = result.const_data_ptr<double>();
    for (int64_t row = 0; row < rows; ++row) {
      const double* lag = lags + row * fft;
      double top = 0;
      for (int64_t i = 0; i < window; ++i) top = std::max(top, std::abs(lag[i]));
      if (top < std::numeric_limits<double>::min()) top = 1;
      for (int64_t i = 0; i < window; ++i) mean[i] += lag[i] / top / static_cast<double>(count);
    }
  }
  return mean;
}

std::vector<double> tempo_scores(std::span<const double> autocorrelation, const TempoPrior& prior) {
  std::vector<double> scores(autocorrelation.size(), -kInfinity);
  for (size_t lag = 1; lag < scores.size(); ++lag) {
    const double bpm = 60 * prior.frames_per_second / static_cast<double>(lag);
    if (bpm >= prior.max_bpm) continue;
    const double octaves = std::log2(bpm) - std::log2(prior.start_bpm);
    scores[lag] = std::log1p(1e6 * autocorrelation[lag]) - 0.5 * octaves * octaves;
  }
  return scores;
}

std::vector<double> local_score(std::span<const double> onset, double period) {
  const auto frames = static_cast<int64_t>(onset.size());
  double mean = 0;
  for (const double value : onset) mean += value / static_cast<double>(frames);
  double square = 0;
  for (const double value : onset) square += (value - mean) * (value - mean);
  const double deviation = frames > 1 ? std::sqrt(square / static_cast<double>(frames - 1)) : 0;
  const double scale = deviation > 0 ? 1 / deviation : 1;
  const auto reach = static_cast<int64_t>(std::nearbyint(period));
  std::vector<double> bell(2 * reach + 1);
  for (int64_t n = -reach; n <= reach; ++n) {
    const double z = 32 * static_cast<double>(n) / period;
    bell[n + reach] = std::exp(-0.5 * z * z);
  }
  std::vector<double> score(frames);
  for (int64_t i = 0; i < frames; ++i) {
    const int64_t begin = std::max<int64_t>(0, i - reach);
    const int64_t end = std::min(frames, i + reach + 1);
    double sum = 0;
    for (int64_t j = begin; j < end; ++j) sum += onset[j] * scale * bell[i - j + reach];
    score[i] = sum;
  }
  return score;
}

std::vector<int64_t> chain_beats(std::span<const double> score, double period, double tightness) {
  const auto frames = static_cast<int64_t>(score.size());
  const auto longest = static_cast<int64_t>(std::nearbyint(2 * period));
  const auto shortest = std::max<int64_t>(1, static_cast<int64_t>(std::nearbyint(period / 2)));
  std::vector<double> cost(longest - shortest + 1);  // of the interval longest - index
  for (int64_t i = 0; i < static_cast<int64_t>(cost.size()); ++i) {
    const double stretch = std::log(static_cast<double>(longest - i) / period);
    cost[i] = -tightness * stretch * stretch;
  }
  const double first_score =
      0.01 * (score.empty() ? 0 : *std::max_element(score.begin(), score.end()));
  // `longest` zeros stand for the time before the music.
  std::vector<double> total(frames + longest);
  std::vector<int64_t> before(frames);
  bool begun = false;
  for (int64_t i = 0; i < frames; ++i) {
    const double* candidate = total.data() + i;  // the one `longest` frames ago
    int64_t best = 0;
    double best_value = -kInfinity;
    for (int64_t j = 0; j < static_cast<int64_t>(cost.size()); ++j) {
      const double value = cost[j] + candidate[j];
      if (value > best_value) {
        best_value = value;
        best = j;
      }
    }
    total[i + longest] = score[i] + best_value;
    begun = begun || score[i] >= first_score;
    before[i] = begun ? i - longest + best : -1;
  }
  std::vector<int64_t> beats;
  for (int64_t at = last_beat(std::span(total).subspan(longest)); at >= 0; at = before[at])
    beats.push_back(at);
  std::reverse(beats.begin(), beats.end());
  return beats;
}

std::vector<int64_t> trim_beats(const std::vector<int64_t>& beats, std::span<const double> score,
                                bool inclusive) {
  constexpr double kHann[] = {0, 0.5, 1, 0.5, 0};
  const auto count = static_cast<int64_t>(beats.size());
  std::vector<double> smooth(count);
  double square = 0;
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = std::max<int64_t>(0, i - 2); j < std::min(count, i + 3); ++j)
      smooth[i] += kHann[j - i + 2] * score[beats[j]];
    square += smooth[i] * smooth[i] / static_cast<double>(count);
  }
  const auto strong = [&](double value) { return value > 0.5 * std::sqrt(square); };
  const auto first = std::find_if(smooth.begin(), smooth.end(), strong) - smooth.begin();
  const auto end = smooth.rend() - std::find_if(smooth.rbegin(), smooth.rend(), strong);
  const auto last = inclusive ? end : end - 1;
  if (first >= last) return {};
  return {beats.begin() + first, beats.begin() + last};
}

}  // namespace vmr::audio::detail
