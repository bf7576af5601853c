#include "audio/beat_tempo.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/fft_irfft.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "audio/mel_bank.h"

namespace vmr::audio::detail {
namespace {

constexpr double kWindowSeconds = 8, kLongestLagSeconds = 4.9;
constexpr int64_t kWindowsAtOnce = 64;
// What each onset curve counts in the tempogram.
constexpr std::array<float, kBands> kWeights{0.5F, 0.7F, 0.7F, 1, 0};

constexpr double kFastestBpm = 240, kSlowestBpm = 40;
constexpr float kGain = 8;  // of salience against the prices of changes
constexpr float kStepPrice = 0.5F, kJumpPrice = 6, kJumpStepPrice = 0.15F;

using Scores = std::array<float, kPeriods>;
using Origins = std::array<uint8_t, kPeriods>;

// scores[i] = max over j of scores[j] - price |i - j|, and which j it was.
void spread(float price, Scores& scores, Origins& origins) {
  const auto take = [&](int to, int from) {
    if (scores[from] - price <= scores[to]) return;
    scores[to] = scores[from] - price;
    origins[to] = origins[from];
  };
  for (int i = 1; i < kPeriods; ++i) take(i, i - 1);
  for (int i = kPeriods - 2; i >= 0; --i) take(i, i + 1);
}

// Half the frame rate, each value a bell over three frames.
std::vector<float> halved(const std::vector<float>& curve) {
  const auto frames = static_cast<int64_t>(curve.size());
  std::vector<float> half((frames + 1) / 2);
  for (int64_t t = 0; t < frames; t += 2) {
    const float before = t > 0 ? curve[t - 1] : 0, after = t + 1 < frames ? curve[t + 1] : 0;
    half[t / 2] = 0.25F * before + 0.5F * curve[t] + 0.25F * after;
  }
  return half;
}

// Window `index` of the curve, tapered, without its mean, into row [window]. Returns its power
// over that of the taper.
double cut_window(const std::vector<float>& curve, double centre, const std::vector<double>& taper,
                  float* row) {
  const auto window = static_cast<int64_t>(taper.size());
  const auto samples = static_cast<int64_t>(curve.size());
  const int64_t first = static_cast<int64_t>(centre) - window / 2;
  const int64_t begin = std::max<int64_t>(0, -first), end = std::min(window, samples - first);
  double sum = 0, weight = 1e-9, power = 0, full = 0;
  for (int64_t i = begin; i < end; ++i) {
    sum += taper[i] * curve[first + i];
    weight += taper[i];
  }
  for (int64_t i = 0; i < window; ++i) full += taper[i] * taper[i];
  for (int64_t i = begin; i < end; ++i) {
    const double value = taper[i] * (curve[first + i] - sum / weight);
    row[i] = static_cast<float>(value);
    power += value * value;
  }
  return power / full;
}

// Autocorrelation of the taper by lag, over its value at 0; at least 0.02.
std::vector<float> taper_shape(const std::vector<double>& taper, int64_t lags) {
  std::vector<double> shape(lags);
  for (int64_t lag = 0; lag < lags; ++lag)
    for (size_t i = lag; i < taper.size(); ++i) shape[lag] += taper[i] * taper[i - lag];
  std::vector<float> result(lags);
  for (int64_t lag = 0; lag < lags; ++lag)
    result[lag] = static_cast<float>(std::max(shape[lag] / shape[0], 0.02));
  return result;
}

double mean_square(const std::vector<float>& curve) {
  double sum = 0;
  for (const float value : curve) sum += static_cast<double>(value) * value;
  return sum / static_cast<double>(curve.size());
}

// The largest value within half a lag per multiple, between the lags by a straight line.
double value_near(const float* lags, int64_t count, double lag, double reach) {
  const auto below = static_cast<int64_t>(lag);
  const double part = lag - double(below);
  double best = lags[below] * (1 - part) + lags[std::min(below + 1, count - 1)] * part;
  const auto begin = std::max<int64_t>(0, std::llround(lag - reach));
  const auto end = std::min<int64_t>(count - 1, std::llround(lag + reach));
  for (int64_t i = begin; i <= end; ++i) best = std::max<double>(best, lags[i]);
  return best;
}

}  // namespace

Tempogram tempogram(const BeatBands& bands) {
  Tempogram result;
  const double rate = result.lags_per_second = bands.frames_per_second / 2;
  const auto window = static_cast<int64_t>(kWindowSeconds * rate);
  result.lags = static_cast<int64_t>(kLongestLagSeconds * rate);
  result.windows = std::max<int64_t>(
      1, static_cast<int64_t>(std::ceil(double(bands.frames) / bands.frames_per_second)));
  result.values.assign(result.windows * result.lags, 0);
  int64_t fft = 2;
  while (fft < window + result.lags) fft *= 2;
  std::array<std::vector<float>, kBands> halves;
  std::array<double, kBands> quiet{};
  for (int band = 0; band < kBands; ++band) {
    halves[band] = halved(bands.curves[band]);
    quiet[band] = 0.1 * mean_square(halves[band]) + 1e-6;
  }
  const auto taper = hann_periodic(window);
  const auto shape = taper_shape(taper, result.lags);
  for (int64_t begin = 0; begin < result.windows; begin += kWindowsAtOnce) {
    const int64_t rows = std::min(kWindowsAtOnce, result.windows - begin);
    auto cut = at::zeros({rows * kAll + rows, fft}, at::kFloat);
    auto* values = cut.mutable_data_ptr<float>();
    for (int64_t row = 0; row < rows; ++row) {
      for (int band = kLow; band <= kAll; ++band) {
        float* out = values + (row * (kAll + 1) + band) * fft;
        const double power =
            cut_window(halves[band], (double(begin + row) + 0.5) * rate, taper, out);
        const auto gain = static_cast<float>(std::sqrt(kWeights[band] / (power + quiet[band])));
        for (int64_t i = 0; i < window; ++i) out[i] *= gain;
      }
    }
    const auto spectra = at::fft_rfft(cut).abs().square().view({rows, kAll + 1, fft / 2 + 1});
    const auto correlations = at::fft_irfft(spectra.sum(1), fft).contiguous();
    const auto* lags = correlations.const_data_ptr<float>();
    double full = 0;
    for (const double weight : taper) full += weight * weight;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t lag = 0; lag < result.lags; ++lag)
        result.values[(begin + row) * result.lags + lag] =
            lags[row * fft + lag] / (shape[lag] * static_cast<float>(full));
  }
  return result;
}

double salience(const float* lags, int64_t count, double lags_per_second, double period_seconds) {
  constexpr std::array<double, 4> kMultiples{1, 0.8, 0.6, 0.5};
  double sum = 0, weight = 0;
  for (int multiple = 1; multiple <= 4; ++multiple) {
    const double lag = multiple * period_seconds * lags_per_second;
    if (lag + 2 >= double(count)) break;
    sum += kMultiples[multiple - 1] * value_near(lags, count, lag, 0.15 * multiple);
    weight += kMultiples[multiple - 1];
  }
  return weight > 0 ? sum / weight : 0;
}

double period_seconds(int index) {
  return 60 / kFastestBpm * std::pow(kFastestBpm / kSlowestBpm, double(index) / (kPeriods - 1));
}

std::vector<float> saliences(const Tempogram& tempogram) {
  std::vector<float> values(tempogram.windows * kPeriods);
  for (int64_t window = 0; window < tempogram.windows; ++window)
    for (int i = 0; i < kPeriods; ++i)
      values[window * kPeriods + i] = static_cast<float>(
          std::max(0.0, salience(tempogram.values.data() + window * tempogram.lags, tempogram.lags,
                                 tempogram.lags_per_second, period_seconds(i))));
  return values;
}

std::vector<double> tempo_path(const std::vector<float>& saliences, const TempoBell& bell) {
  Scores gain{}, total{};
  Origins here{};
  for (int i = 0; i < kPeriods; ++i) {
    const double octaves = std::log2(60 / period_seconds(i) / bell.centre_bpm) / bell.octaves;
    gain[i] = kGain * static_cast<float>(std::exp(-0.5 * octaves * octaves));
    here[i] = static_cast<uint8_t>(i);
  }
  const auto windows = static_cast<int64_t>(saliences.size()) / kPeriods;
  std::vector<Origins> from(windows);
  for (int64_t window = 0; window < windows; ++window) {
    Scores jumped = total;
    Origins jumped_from = here;
    from[window] = here;
    if (window > 0) {
      spread(kStepPrice, total, from[window]);
      spread(kJumpStepPrice, jumped, jumped_from);
    }
    for (int i = 0; i < kPeriods; ++i) {
      if (jumped[i] - kJumpPrice > total[i]) {
        total[i] = jumped[i] - kJumpPrice;
        from[window][i] = jumped_from[i];
      }
      total[i] += gain[i] * saliences[window * kPeriods + i];
    }
  }
  auto at = static_cast<int>(std::max_element(total.begin(), total.end()) - total.begin());
  std::vector<double> path(windows);
  for (int64_t window = windows - 1; window >= 0; --window) {
    path[window] = period_seconds(at);
    at = from[window][at];
  }
  return path;
}

std::vector<float> period_curve(const std::vector<double>& path, const BeatBands& bands,
                                double ratio) {
  constexpr double kStep = 0.12;  // of the logarithm: neighbours further apart are not bridged
  const auto last = static_cast<int64_t>(path.size()) - 1;
  const auto period = [&](int64_t window) {
    return bands.frames_per_second *
           std::clamp(path[window] / ratio, kShortestBeatSeconds, kLongestBeatSeconds);
  };
  std::vector<float> curve(bands.frames);
  int64_t t = 0;
  for (int64_t left = 0; left <= last; ++left) {
    const double here = period(left), next = period(std::min(left + 1, last));
    const bool steps = std::abs(std::log(path[std::min(left + 1, last)] / path[left])) > kStep;
    for (; t < bands.frames; ++t) {
      const double part = double(t) / bands.frames_per_second - 0.5 - double(left);
      if (part >= 1 && left < last) break;
      const double along = std::clamp(part, 0.0, 1.0);
      curve[t] =
          static_cast<float>(steps ? (along < 0.5 ? here : next) : here + along * (next - here));
    }
  }
  return curve;
}

}  // namespace vmr::audio::detail
