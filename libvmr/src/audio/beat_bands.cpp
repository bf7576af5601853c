#include "audio/beat_bands.h"

#include <algorithm>
#include <cmath>

namespace vmr::audio::detail {
namespace {

constexpr float kRangeDecibels = 60;  // what lies further below the loudest is raised to this
constexpr int64_t kLag = 2;           // frames over which a rise is taken
constexpr double kLowHz = 190, kMidHz = 2100, kHarmonyHz = 2500;
constexpr int64_t kStepsPerDecibel = 8;  // of the table of loudness

// Rises of one frame: each mel band against the loudest of its neighbourhood kLag frames earlier,
// so that vibrato is none (Boeck and Widmer 2013).
struct Rises {
  std::array<std::vector<float>, kBands> curves;
};

int64_t bands_below(std::span<const double> mel_hz, double hz) {
  return std::lower_bound(mel_hz.begin(), mel_hz.end(), hz) - mel_hz.begin();
}

// Decibels above the floor, the floor being kRangeDecibels below the loudest value.
std::vector<float> above_floor(std::span<const float> decibels) {
  const float floor = *std::max_element(decibels.begin(), decibels.end()) - kRangeDecibels;
  std::vector<float> values(decibels.size());
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::max(decibels[i], floor) - floor;
  return values;
}

// Decibels above the floor -> square root of the amplitude, between loudness and energy.
std::vector<float> loudness_table() {
  std::vector<float> table(static_cast<size_t>(kRangeDecibels) * kStepsPerDecibel + 2);
  for (size_t i = 0; i < table.size(); ++i)
    table[i] = std::pow(10.F, static_cast<float>(i) / kStepsPerDecibel / 40);
  return table;
}

// values: [frames, mels] above the floor; low and middle: mel bands below kLowHz and kMidHz.
Rises rises_of(std::span<const float> values, int64_t mels, int64_t low, int64_t middle) {
  const auto frames = static_cast<int64_t>(values.size()) / mels;
  const auto table = loudness_table();
  Rises rises;
  for (auto& curve : rises.curves) curve.assign(frames, 0);
  std::vector<float> rise(mels), loud(values.size());
  for (size_t i = 0; i < loud.size(); ++i)
    loud[i] = table[static_cast<size_t>(values[i] * kStepsPerDecibel + 0.5F)];
  const auto mean = [&](int64_t begin, int64_t end) {
    float sum = 0;
    for (int64_t m = begin; m < end; ++m) sum += rise[m];
    return end > begin ? sum / static_cast<float>(end - begin) : 0;
  };
  for (int64_t t = kLag; t < frames; ++t) {
    const float* now = values.data() + t * mels;
    const float* before = now - kLag * mels;
    for (int64_t m = 0; m < mels; ++m) {
      const float left = before[std::max<int64_t>(m - 1, 0)];
      const float right = before[std::min(m + 1, mels - 1)];
      rise[m] = std::max(0.F, now[m] - std::max({left, before[m], right}));
    }
    rises.curves[kLow][t] = mean(0, low);
    rises.curves[kMid][t] = mean(low, middle);
    rises.curves[kHigh][t] = mean(middle, mels);
    rises.curves[kAll][t] =
        0.3F * rises.curves[kLow][t] + rises.curves[kMid][t] + 0.7F * rises.curves[kHigh][t];
    const float* louder = loud.data() + t * mels;
    float sum = 0;
    for (int64_t m = 0; m < mels; ++m) sum += std::max(0.F, louder[m] - louder[m - kLag * mels]);
    rises.curves[kLoud][t] = sum;
  }
  return rises;
}

// Above the mean of a second, over the root mean square of eight.
std::vector<float> normalised(const std::vector<float>& curve, double frames_per_second) {
  const auto frames = static_cast<int64_t>(curve.size());
  std::vector<double> sums(frames + 1), squares(frames + 1);
  for (int64_t t = 0; t < frames; ++t) {
    sums[t + 1] = sums[t] + curve[t];
    squares[t + 1] = squares[t] + static_cast<double>(curve[t]) * curve[t];
  }
  const auto mean = [&](const std::vector<double>& of, int64_t t, int64_t reach) {
    const int64_t begin = std::max<int64_t>(0, t - reach), end = std::min(frames, t + reach + 1);
    return (of[end] - of[begin]) / static_cast<double>(end - begin);
  };
  const auto near = static_cast<int64_t>(0.5 * frames_per_second);
  const auto far = static_cast<int64_t>(4 * frames_per_second);
  // A twentieth of the song's own power, so that a silent stretch is not blown up.
  const double quiet = 0.05 * squares[frames] / static_cast<double>(frames) + 1e-9;
  std::vector<float> result(frames);
  for (int64_t t = 0; t < frames; ++t)
    result[t] = static_cast<float>(std::max(0.0, curve[t] - mean(sums, t, near)) /
                                   std::sqrt(mean(squares, t, far) + quiet));
  return result;
}

std::vector<float> largest_near(const std::vector<float>& curve) {
  const auto frames = static_cast<int64_t>(curve.size());
  std::vector<float> result(frames);
  for (int64_t t = 0; t < frames; ++t) {
    float top = 0;
    for (int64_t s = std::max<int64_t>(0, t - 2); s < std::min(frames, t + 3); ++s)
      top = std::max(top, curve[s]);
    result[t] = top;
  }
  return result;
}

}  // namespace

BeatBands beat_bands(const BandRows& rows) {
  const auto mels = static_cast<int64_t>(rows.mel_hz.size());
  BeatBands bands;
  bands.frames_per_second = rows.frames_per_second;
  bands.frames = static_cast<int64_t>(rows.decibels.size()) / mels;
  const auto values = above_floor(rows.decibels);
  const auto rises =
      rises_of(values, mels, bands_below(rows.mel_hz, kLowHz), bands_below(rows.mel_hz, kMidHz));
  for (int band = 0; band < kBands; ++band) {
    bands.curves[band] = normalised(rises.curves[band], rows.frames_per_second);
    bands.tops[band] = largest_near(bands.curves[band]);
    double sum = 0;
    for (const float value : bands.tops[band]) sum += value;
    bands.means[band] = sum / static_cast<double>(bands.frames) + 0.05;
  }
  bands.level.resize(bands.frames);
  bands.sum_bands = bands_below(rows.mel_hz, kHarmonyHz) / 2;
  const int64_t wide = bands.sum_bands;
  bands.sums.assign((bands.frames / 2 + 1) * wide, 0);
  for (int64_t t = 0; t < bands.frames; ++t) {
    const float* row = rows.decibels.data() + t * mels;
    bands.level[t] = *std::max_element(row, row + mels);
    if (t / 2 >= bands.frames / 2) continue;  // an odd last frame
    const float* value = values.data() + t * mels;
    double* sum = bands.sums.data() + (t / 2 + 1) * wide;
    if (t % 2 == 0) std::copy(sum - wide, sum, sum);
    for (int64_t band = 0; band < wide; ++band)
      sum[band] += 0.5 * (value[2 * band] + value[2 * band + 1]);
  }
  return bands;
}

double spectral_change(const BeatBands& bands, double begin, double middle, double end) {
  const int64_t last = bands.frames / 2;
  const auto half = [&](double frame) {
    return std::clamp<int64_t>(std::llround(frame / 2), 0, last);
  };
  const int64_t a = half(begin + 0.25 * (middle - begin)), b = half(middle - 1);
  const int64_t c = half(middle + 0.15 * (end - middle) + 2), d = half(end - 1);
  if (b <= a || d <= c) return 0;
  const double* sums = bands.sums.data();
  const int64_t wide = bands.sum_bands;
  double change = 0;
  for (int64_t band = 0; band < wide; ++band) {
    const double left = (sums[b * wide + band] - sums[a * wide + band]) / double(2 * (b - a));
    const double right = (sums[d * wide + band] - sums[c * wide + band]) / double(2 * (d - c));
    change += std::abs(left - right);
  }
  return wide > 0 ? change / double(wide) : 0;
}

}  // namespace vmr::audio::detail
