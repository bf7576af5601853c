#include "retrieval/event_nearness.h"

#include <algorithm>
#include <cmath>

#include "retrieval/shifted_sums.h"

namespace vmr::retrieval::detail {
namespace {

constexpr double kReach = 3;     // standard deviations a window goes
constexpr size_t kBlock = 2048;  // offsets summed at a time: they stay in the nearest cache

}  // namespace

FilmEvents film_events(const std::vector<TimedEvent>& events, double stretch,
                       const std::vector<int64_t>& groups) {
  FilmEvents result;
  double total = 0;
  for (const auto& event : events) total += event.strength;
  double square = 0, group = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    const double weight = events[i].strength / total;
    result.seconds.push_back(events[i].seconds * stretch);
    result.weights.push_back(float(weight));
    group += weight;
    if (!groups.empty() && i + 1 < events.size() && groups[i + 1] == groups[i]) continue;
    square += group * group;
    group = 0;
  }
  result.spread = std::sqrt(square);
  return result;
}

void Nearness::add(double seconds, double height) {
  if (seconds >= 0 && seconds <= track_seconds_) events_.push_back({seconds, height});
}

double Nearness::window(double seconds, const TimedEvent& event) const {
  const double distance = (seconds - event.seconds) / width_;
  return std::abs(distance) > kReach ? 0 : event.strength * std::exp(-0.5 * distance * distance);
}

void Nearness::fill(double begin, double end) {
  std::sort(events_.begin(), events_.end(),
            [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
  begin_ = begin;
  const auto cells = int64_t((end - begin) / kOffsetStepSeconds) + 3;
  cells_.assign(size_t(cells), 0.0f);
  const double reach = kReach * width_;
  const double step = kOffsetStepSeconds / width_, shrink = std::exp(-step * step);
  for (const auto& event : events_) {
    const double place = event.seconds - begin;
    const auto first =
        std::max<int64_t>(int64_t(std::ceil((place - reach) / kOffsetStepSeconds)), 0);
    const auto last =
        std::min(int64_t(std::floor((place + reach) / kOffsetStepSeconds)), cells - 1);
    // A Gaussian on a grid without an exp a cell: its steps are ratios that shrink by a factor.
    const double distance = (double(first) * kOffsetStepSeconds - place) / width_;
    double value = event.strength * std::exp(-0.5 * distance * distance);
    double ratio = std::exp(-step * (distance + 0.5 * step));
    for (auto i = first; i <= last; ++i) {
      auto& cell = cells_[size_t(i)];
      cell = std::max(cell, float(value));
      value *= ratio;
      ratio *= shrink;
    }
  }
  measure();
}

// Mean and standard deviation over the track alone.
void Nearness::measure() {
  const auto cells = int64_t(cells_.size());
  const auto first = std::min<int64_t>(std::llround(-begin_ / kOffsetStepSeconds), cells);
  const auto last =
      std::min<int64_t>(first + std::llround(track_seconds_ / kOffsetStepSeconds) + 1, cells);
  double sum = 0, square = 0;
  for (auto i = first; i < last; ++i) {
    const double value = cells_[size_t(i)];
    sum += value;
    square += value * value;
  }
  const double count = std::max<double>(1, double(last - first));
  mean_ = sum / count;
  sd_ = std::sqrt(std::max(0.0, square / count - mean_ * mean_));
}

void Nearness::add_scores(const FilmEvents& film, double weight, std::vector<float>& total) const {
  const auto scale = float(1 / (sd_ * film.spread));
  const auto mean = float(mean_);
  std::vector<size_t> shifts;
  for (const double seconds : film.seconds) {
    shifts.push_back(size_t(std::llround(seconds / kOffsetStepSeconds)));
  }
  float sums[kBlock];
  for (size_t begin = 0; begin < total.size(); begin += kBlock) {
    const size_t count = std::min(kBlock, total.size() - begin);
    shifted_sums(film.weights.data(), shifts.data(), shifts.size(), cells_.data() + begin, sums,
                 count);
    if (rare_) {
      const float miss = std::asinh(-scale * mean);  // at most offsets
      for (size_t k = 0; k < count; ++k) {
        const float score = sums[k] == 0 ? miss : std::asinh(scale * (sums[k] - mean));
        total[begin + k] += float(weight) * score;
      }
    } else {
      const auto weighed = float(weight) * scale;
      for (size_t k = 0; k < count; ++k) total[begin + k] += weighed * (sums[k] - mean);
    }
  }
}

double Nearness::at(double seconds) const {
  const double reach = kReach * width_;
  double best = 0;
  auto event = std::lower_bound(
      events_.begin(), events_.end(), seconds - reach,
      [](const TimedEvent& candidate, double value) { return candidate.seconds < value; });
  for (; event != events_.end() && event->seconds <= seconds + reach; ++event) {
    best = std::max(best, window(seconds, *event));
  }
  return best;
}

double Nearness::score(const FilmEvents& film, double offset) const {
  double sum = 0;
  for (size_t i = 0; i < film.seconds.size(); ++i) {
    sum += double(film.weights[i]) * at(offset + film.seconds[i]);
  }
  const double score = (sum - mean_) / (sd_ * film.spread);
  return rare_ ? std::asinh(score) : score;
}

}  // namespace vmr::retrieval::detail
