#include "support/corpus/beat_scores.h"

#include <algorithm>
#include <cmath>

#include "synth/random.h"

namespace vmr::corpus {
namespace {

constexpr double kReachSeconds = 0.5;
constexpr int kDraws = 200;

std::vector<ReliabilityBin> bins_of(std::span<const Trust> pairs) {
  std::vector<ReliabilityBin> bins(10);
  for (const auto& [confidence, right] : pairs) {
    auto& bin = bins[size_t(std::clamp(confidence * 10, 0.0, 9.0))];
    ++bin.count;
    bin.confidence += confidence;
    bin.right += right;
  }
  for (auto& bin : bins) {
    if (bin.count == 0) continue;
    bin.confidence /= bin.count;
    bin.right /= bin.count;
  }
  return bins;
}

double error_of(const std::vector<ReliabilityBin>& bins) {
  double error = 0, count = 0;
  for (const auto& bin : bins) {
    error += bin.count * std::abs(bin.confidence - bin.right);
    count += bin.count;
  }
  return count > 0 ? error / count : 0;
}

}  // namespace

double refused_share(std::span<const double> truth, std::span<const double> found) {
  if (truth.size() < 2) return 0;
  const auto last = truth.size() - 1;
  double refused = 0;
  for (size_t i = 0; i < last; ++i) {
    const double begin = truth[i > 0 ? i - 1 : 0], end = truth[std::min(i + 2, last)];
    const auto beat = std::lower_bound(found.begin(), found.end(), begin);
    if (beat == found.end() || *beat > end) refused += truth[i + 1] - truth[i];
  }
  return refused / (truth[last] - truth[0]);
}

double covered_share(std::span<const double> beats, double seconds) {
  double covered = 0, until = 0;
  for (const double beat : beats) {
    const double from = std::max(beat - kReachSeconds, until);
    const double to = std::min(beat + kReachSeconds, seconds);
    covered += std::max(to - from, 0.0);
    until = std::max(until, to);
  }
  return covered / seconds;
}

Interval wilson(double hits, double count) {
  constexpr double kZ = 1.959964;
  const double share = hits / count, square = kZ * kZ / count;
  const double middle = (share + square / 2) / (1 + square);
  const double reach =
      kZ * std::sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square);
  return {std::max(0.0, middle - reach), std::min(1.0, middle + reach)};
}

Reliability reliability(std::span<const Trust> pairs) {
  Reliability result{.bins = bins_of(pairs)};
  result.error = error_of(result.bins);
  for (const auto& [confidence, right] : pairs)
    result.brier += (confidence - right) * (confidence - right) / double(pairs.size());
  synth::Random random(1, "reliability by chance");
  std::vector<Trust> drawn(pairs.begin(), pairs.end());
  for (int i = 0; i < kDraws; ++i) {
    for (auto& pair : drawn) pair.right = random.chance(pair.confidence);
    result.error_by_chance += error_of(bins_of(drawn)) / kDraws;
  }
  return result;
}

}  // namespace vmr::corpus
