#include "vmr/eval/beat_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "vmr/core/error.h"

namespace vmr::eval {
namespace {

using Times = std::span<const double>;

constexpr double kContinuity = 0.175;      // of an annotated interval
constexpr double kCemgilDeviation = 0.04;  // seconds
constexpr size_t kBins = 41;               // of the histogram of errors; odd, so that one is at 0

void check_times(Times times, const char* name) {
  for (size_t i = 0; i < times.size(); ++i) {
    VMR_CHECK(std::isfinite(times[i]), "score_beats: expected ", name, " in seconds, got ",
              times[i], " at ", i);
    VMR_CHECK(i == 0 || times[i] >= times[i - 1], "score_beats: expected ", name,
              " in rising order, got ", times[i], " after ", times[i - 1], "; sort them");
  }
}

Times skip_until(Times times, double seconds) {
  return times.subspan(
      size_t(std::lower_bound(times.begin(), times.end(), seconds) - times.begin()));
}

// The first of the nearest times. Requires: not empty.
size_t nearest(Times times, double when) {
  auto after = std::lower_bound(times.begin(), times.end(), when);
  if (after == times.begin()) return 0;
  auto before = std::lower_bound(times.begin(), after, *(after - 1));
  const bool take_after =
      after != times.end() && std::abs(*after - when) < std::abs(*before - when);
  return size_t((take_after ? after : before) - times.begin());
}

// Equal windows: pairing from early to late finds the most pairs.
double f_measure(Times truth, Times found, double window) {
  size_t i = 0, j = 0, hits = 0;
  while (i < truth.size() && j < found.size()) {
    if (truth[i] < found[j] - window) {
      ++i;
    } else if (truth[i] > found[j] + window) {
      ++j;
    } else {
      ++hits, ++i, ++j;
    }
  }
  return 2.0 * double(hits) / double(truth.size() + found.size());
}

std::vector<double> every_second(Times times, size_t first) {
  std::vector<double> result;
  for (size_t i = first; i < times.size(); i += 2) result.push_back(times[i]);
  return result;
}

// As annotated, off-beats, twice the tempo, half the tempo from the first and from the second beat.
std::array<std::vector<double>, 5> metrical_levels(Times truth) {
  std::vector<double> twice;
  for (size_t i = 0; i < truth.size(); ++i) {
    if (i > 0) twice.push_back(truth[i - 1] + 0.5 * (truth[i] - truth[i - 1]));
    twice.push_back(truth[i]);
  }
  auto off_beats = every_second(twice, 1);
  return {std::vector<double>(truth.begin(), truth.end()), std::move(off_beats), std::move(twice),
          every_second(truth, 0), every_second(truth, 1)};
}

double cemgil(Times truth, Times found) {
  double sum = 0;
  for (const double beat : truth) {
    const double error = (beat - found[nearest(found, beat)]) / kCemgilDeviation;
    sum += std::exp(-0.5 * error * error);
  }
  return sum / (0.5 * double(truth.size() + found.size()));
}

// Is found beat `m` near annotation `near`, and the step to it as long as the annotated one? The
// first of either list has no step to it and is judged by the step from it.
bool is_correct(Times truth, Times found, size_t m, size_t near) {
  const bool first = m == 0 || near == 0;
  // At the end of a list there is none from it either.
  const size_t a = first && near + 1 < truth.size() ? near + 1 : near;
  const size_t b = first && m + 1 < found.size() ? m + 1 : m;
  if (a == 0) return false;  // a lone annotation
  const double true_step = truth[a] - truth[a - 1], found_step = found[b] - found[b - 1];
  if (true_step == 0) return false;
  return std::abs(found[m] - truth[near]) / true_step < kContinuity &&
         std::abs(1 - found_step / true_step) < kContinuity;
}

struct Continuity {
  double continuous = 0, total = 0;
};

Continuity continuity(Times truth, Times found) {
  std::vector<bool> used(truth.size());
  size_t correct = 0, run = 0, longest = 0;
  for (size_t m = 0; m < found.size(); ++m) {
    const size_t near = nearest(truth, found[m]);
    if (!used[near] && is_correct(truth, found, m, near)) {
      used[near] = true;
      ++correct;
      longest = std::max(longest, ++run);
    } else {
      run = 0;
    }
  }
  const auto count = double(std::max(truth.size(), found.size()));
  return {double(longest) / count, double(correct) / count};
}

// The error of a beat as a share of the annotated interval that it lies in, in (-0.5, 0.5].
double relative_error(Times truth, double beat) {
  const size_t near = nearest(truth, beat), last = truth.size() - 1;
  const double error = beat - truth[near];
  double interval = 0;
  if (near == last) {
    interval = truth[last] - truth[last - 1];
  } else if (error < 0) {
    // mir_eval wraps around before the first annotation; kept, so that figures agree.
    interval = truth[near] - truth[near == 0 ? last : near - 1];
  } else {
    interval = truth[near + 1] - truth[near];
  }
  const double share = 0.5 * error / (0.5 * interval);
  return share + 0.5 - std::ceil(share + 0.5) + 0.5;
}

// Of the histogram of the errors, bits.
double error_entropy(Times truth, Times found) {
  std::array<double, kBins> counts{};
  double total = 0;
  for (const double beat : found) {
    const double error = relative_error(truth, beat);
    if (!std::isfinite(error)) continue;  // between two equal annotations
    size_t bin = 0;
    while (bin + 1 < kBins && error >= double(bin + 1) * (1.0 / kBins) - 0.5) ++bin;
    ++counts[bin];
    ++total;
  }
  if (total == 0) return std::log2(double(kBins));
  double entropy = 0;
  for (const double count : counts)
    if (count > 0) entropy -= count / total * std::log2(count / total);
  return entropy;
}

}  // namespace

void validate(const BeatScoreOptions& options) {
  VMR_CHECK(options.skip_seconds >= 0, "BeatScoreOptions: skip_seconds is ", options.skip_seconds,
            "; it must be 0 or more");
  VMR_CHECK(options.window_seconds > 0, "BeatScoreOptions: window_seconds is ",
            options.window_seconds, "; it must be above 0");
}

BeatScores score_beats(Times truth, Times found, const BeatScoreOptions& options) {
  validate(options);
  check_times(truth, "true beats");
  check_times(found, "found beats");
  truth = skip_until(truth, options.skip_seconds);
  found = skip_until(found, options.skip_seconds);
  BeatScores scores;
  if (truth.empty() || found.empty()) return scores;
  scores.f_measure = f_measure(truth, found, options.window_seconds);
  const auto levels = metrical_levels(truth);
  scores.cemgil = cemgil(truth, found);
  for (const auto& level : levels)
    scores.cemgil_best = std::max(scores.cemgil_best, level.empty() ? 0 : cemgil(level, found));
  if (truth.size() < 2 || found.size() < 2) return scores;
  for (size_t i = 0; i < levels.size(); ++i) {
    const auto [continuous, total] = continuity(levels[i], found);
    if (i == 0) scores.correct_continuous = continuous, scores.correct_total = total;
    scores.any_continuous = std::max(scores.any_continuous, continuous);
    scores.any_total = std::max(scores.any_total, total);
  }
  const double most = std::log2(double(kBins));
  scores.information_gain =
      (most - std::max(error_entropy(truth, found), error_entropy(found, truth))) / most;
  return scores;
}

double tempo_of(Times beats) {
  if (beats.size() < 2) return 0;
  std::vector<double> steps;
  for (size_t i = 1; i < beats.size(); ++i) steps.push_back(beats[i] - beats[i - 1]);
  const auto middle = steps.begin() + std::ptrdiff_t(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  double median = *middle;
  if (steps.size() % 2 == 0) median = 0.5 * (median + *std::max_element(steps.begin(), middle));
  return median > 0 ? 60 / median : 0;
}

TempoScores score_tempo(double true_bpm, double found_bpm, double tolerance) {
  VMR_CHECK(true_bpm > 0 && found_bpm >= 0,
            "score_tempo: expected a true tempo above 0 and a found ",
            "one of 0 or more beats/min, got ", true_bpm, " and ", found_bpm);
  VMR_CHECK(tolerance > 0 && tolerance < 1,
            "score_tempo: expected a tolerance between 0 and 1, got ", tolerance, "; 0.04 is 4 %");
  const auto is = [&](double factor) {
    return std::abs(found_bpm - factor * true_bpm) <= tolerance * factor * true_bpm;
  };
  TempoScores scores{.accuracy_1 = is(1)};
  scores.accuracy_2 = scores.accuracy_1 || is(2) || is(0.5) || is(3) || is(1.0 / 3);
  return scores;
}

}  // namespace vmr::eval
