#include "audio/beat_changes.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vmr::audio::detail {
namespace {

// Left out at the beginning of either stretch, being an onset and no harmony.
constexpr double kAttackShare = 0.1, kAttackFrames = 2;
constexpr int64_t kBassPairs = 4;  // of mel bands

// Mean spectrum between two rows of bands.sums.
void mean_spectrum(const BeatBands& bands, int64_t begin, int64_t end, double* mean) {
  const double* before = bands.sums.data() + begin * bands.sum_bands;
  const double* behind = bands.sums.data() + end * bands.sum_bands;
  const double scale = 0.5 / static_cast<double>(end - begin);
  for (int64_t band = 0; band < bands.sum_bands; ++band)
    mean[band] = scale * (behind[band] - before[band]);
}

}  // namespace

BeatChanges beat_changes(const BeatBands& bands, std::span<const int64_t> beats, int64_t reach,
                         double part) {
  const int64_t wide = bands.sum_bands, rows = bands.frames / 2;
  const auto count = static_cast<int64_t>(beats.size());
  reach = std::clamp<int64_t>((count - 1) / 4, 1, reach);
  const auto row = [&](double frame) {
    return std::clamp<int64_t>(std::llround(frame / 2), 0, rows);
  };
  std::vector<double> left(wide), right(wide);
  BeatChanges changes;
  for (int64_t i = reach; i + reach < count; ++i) {
    const double shift = part * static_cast<double>(beats[i + 1] - beats[i]);
    const double begin = static_cast<double>(beats[i - reach]) + shift;
    const double middle = static_cast<double>(beats[i]) + shift;
    const double end = static_cast<double>(beats[i + reach]) + shift;
    const int64_t a = row(begin + kAttackShare * (middle - begin)), b = row(middle - 1);
    const int64_t c = row(middle + kAttackShare * (end - middle) + kAttackFrames), d = row(end - 1);
    double all = 0, shape = 0, bass = 0;
    if (b > a && d > c) {
      mean_spectrum(bands, a, b, left.data());
      mean_spectrum(bands, c, d, right.data());
      double common = 0;
      for (int64_t band = 0; band < wide; ++band) common += right[band] - left[band];
      common /= static_cast<double>(wide);
      for (int64_t band = 0; band < wide; ++band) {
        const double change = right[band] - left[band];
        all += std::abs(change);
        shape += std::abs(change - common);
        if (band < kBassPairs) bass += std::abs(change);
      }
    }
    changes.all.push_back(all / static_cast<double>(wide));
    changes.shape.push_back(shape / static_cast<double>(wide));
    changes.bass.push_back(bass / static_cast<double>(std::min(kBassPairs, wide)));
  }
  return changes;
}

std::vector<double> bass_levels(const BeatBands& bands, std::span<const int64_t> beats) {
  const int64_t rows = bands.frames / 2, bass = std::min(kBassPairs, bands.sum_bands);
  std::vector<double> mean(bands.sum_bands), levels;
  for (size_t i = 0; i < beats.size(); ++i) {
    const size_t from = std::min(i, beats.size() - 2);
    const int64_t begin = beats[i] + static_cast<int64_t>(kAttackFrames);
    const int64_t end = beats[i] + beats[from + 1] - beats[from] - 1;
    const int64_t last = std::clamp<int64_t>(std::max(end, begin + 2) / 2, 1, rows);
    mean_spectrum(bands, std::min(begin / 2, last - 1), last, mean.data());
    levels.push_back(std::accumulate(mean.begin(), mean.begin() + bass, 0.0) /
                     static_cast<double>(bass));
  }
  return levels;
}

}  // namespace vmr::audio::detail
