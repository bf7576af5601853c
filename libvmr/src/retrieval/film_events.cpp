#include "retrieval/film_events.h"

#include <algorithm>
#include <cmath>

namespace vmr::retrieval {
namespace detail {
namespace {

constexpr double kChangeSeconds = 4;  // compared on each side of a cut

// Sums of the first i values.
std::vector<double> running_sums(const std::vector<float>& values) {
  std::vector<double> sums(values.size() + 1, 0.0);
  for (size_t i = 0; i < values.size(); ++i) sums[i + 1] = sums[i] + double(values[i]);
  return sums;
}

// The integral of the curve from 0 to `place` (in values).
double integral(const std::vector<double>& sums, double place) {
  const double last = double(sums.size() - 1);
  const double inside = std::clamp(place, 0.0, last);
  const auto whole = std::min(size_t(inside), sums.size() - 2);
  return sums[whole] + (inside - double(whole)) * (sums[whole + 1] - sums[whole]);
}

}  // namespace

std::vector<float> smoothed(const std::vector<float>& values, double width) {
  const auto reach = int64_t(std::ceil(3 * width));
  if (reach < 1 || values.empty()) return values;
  std::vector<double> window(size_t(2 * reach + 1));
  double total = 0;
  for (int64_t i = -reach; i <= reach; ++i) {
    total += window[size_t(i + reach)] = std::exp(-0.5 * double(i * i) / (width * width));
  }
  const auto count = int64_t(values.size());
  std::vector<float> result(values.size());
  for (int64_t i = 0; i < count; ++i) {
    double sum = 0;
    for (int64_t j = -reach; j <= reach; ++j) {
      const auto at = size_t(std::clamp<int64_t>(i + j, 0, count - 1));
      sum += window[size_t(j + reach)] * double(values[at]);
    }
    result[size_t(i)] = float(sum / total);
  }
  return result;
}

std::vector<float> resampled(const SampledCurve& curve, double begin_seconds, int64_t count,
                             double step_seconds, float outside) {
  std::vector<float> result(size_t(count), outside);
  if (curve.values.empty()) return result;
  const auto sums = running_sums(curve.values);
  const double length = double(curve.values.size());
  for (int64_t i = 0; i < count; ++i) {
    const double begin = (begin_seconds + double(i) * step_seconds) * curve.rate_hz;
    const double end = begin + step_seconds * curve.rate_hz;
    const double covered = std::min(end, length) - std::max(begin, 0.0);
    if (covered < 0.5 * (end - begin)) continue;
    result[size_t(i)] = float((integral(sums, end) - integral(sums, begin)) / covered);
  }
  return result;
}

SampledCurve calm_motion(const FilmRhythm& film) {
  SampledCurve motion = film.motion;
  auto& values = motion.values;
  const auto count = int64_t(values.size());
  for (const TimedEvent& cut : film.cuts) {
    // The step onto the new shot's first frame ends at the cut; a clock slower or faster than the
    // film's puts it one or two steps later.
    const double place = cut.seconds * motion.rate_hz;
    if (place < 0 || place > double(count)) continue;
    const auto step = int64_t(std::llround(place)) - 1;
    if (step < 1 || step + 3 >= count) continue;
    const float before = values[size_t(step - 1)], after = values[size_t(step + 3)];
    for (const int64_t at : {step, step + 1, step + 2}) {
      const float calm = at == step ? before : after;
      values[size_t(at)] = std::min(values[size_t(at)], calm);
    }
  }
  return motion;
}

SampledCurve log_motion(const FilmRhythm& film) {
  SampledCurve curve = calm_motion(film);
  double mean = 0;
  for (const float value : curve.values) mean += double(value) / double(curve.values.size());
  if (!(mean > 0)) return {};
  for (float& value : curve.values) value = float(std::log(double(value) + 0.1 * mean));
  return curve;
}

std::vector<TimedEvent> motion_changes(const FilmRhythm& film, const SampledCurve& log_motion) {
  if (log_motion.values.empty()) return {};
  const auto sums = running_sums(log_motion.values);
  const auto mean = [&](double begin, double end) {
    const double from = std::clamp(begin * log_motion.rate_hz, 0.0, double(sums.size() - 1));
    const double to = std::clamp(end * log_motion.rate_hz, 0.0, double(sums.size() - 1));
    return to - from < 1 ? 0 : (integral(sums, to) - integral(sums, from)) / (to - from);
  };
  std::vector<TimedEvent> changes;
  for (const TimedEvent& cut : film.cuts) {
    const double change = mean(cut.seconds, cut.seconds + kChangeSeconds) -
                          mean(cut.seconds - kChangeSeconds, cut.seconds);
    if (change != 0) changes.push_back({cut.seconds, std::abs(change)});
  }
  return changes;
}

}  // namespace detail

namespace {

constexpr double kLeastRate = 8;            // Hz: slower curves do not show a beat
constexpr double kPeakWidthSeconds = 0.05;  // of the window over the curve
constexpr double kNeighbourSeconds = 0.5;
constexpr double kLeastRise = 0.125;

// How far a peak rises over the higher of the lowest values to its two sides, as a share.
double rise_of(const std::vector<float>& values, int64_t peak, int64_t reach) {
  const auto count = int64_t(values.size());
  const float top = values[size_t(peak)];
  float floor = 0;
  for (const int step : {-1, 1}) {
    float lowest = top;
    for (int64_t i = peak + step; i >= 0 && i < count && std::abs(i - peak) <= reach; i += step) {
      if (values[size_t(i)] > top) break;
      lowest = std::min(lowest, values[size_t(i)]);
    }
    floor = std::max(floor, lowest);
  }
  return top > 0 ? double(top - floor) / double(top) : 0;
}

}  // namespace

std::vector<TimedEvent> motion_peaks(const FilmRhythm& film) {
  const double rate = film.motion.rate_hz;
  if (film.motion.values.size() < 3 || rate < kLeastRate) return {};
  const auto values = detail::smoothed(detail::calm_motion(film).values, kPeakWidthSeconds * rate);
  const auto reach = int64_t(std::llround(kNeighbourSeconds * rate));
  std::vector<TimedEvent> peaks;
  for (size_t i = 1; i + 1 < values.size(); ++i) {
    if (!(values[i] > values[i - 1] && values[i] >= values[i + 1])) continue;
    const double rise = rise_of(values, int64_t(i), reach);
    if (rise < kLeastRise) continue;
    const double left = values[i - 1], top = values[i], right = values[i + 1];
    const double bend = left - 2 * top + right;
    const double shift = bend < 0 ? 0.5 * (left - right) / bend : 0;
    peaks.push_back({(double(i) + 0.5 + shift) / rate, rise});
  }
  // A cut looks like a peak wherever one shot is livelier than the next.
  std::erase_if(peaks, [&](const TimedEvent& peak) {
    return std::any_of(film.cuts.begin(), film.cuts.end(), [&](const TimedEvent& cut) {
      return std::abs(cut.seconds - peak.seconds) < 2 * kPeakWidthSeconds;
    });
  });
  return peaks;
}

}  // namespace vmr::retrieval
