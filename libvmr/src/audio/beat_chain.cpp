#include "audio/beat_chain.h"

#include <algorithm>
#include <cmath>

namespace vmr::audio::detail {
namespace {

constexpr float kReach = 1.2F;        // an interval over the expected one, or the inverse
constexpr float kDeviation = 40;      // price of leaving the expected period
constexpr float kChange = 150;        // price of an interval unlike the one before
constexpr float kJump = 12;           // the most that a change costs
constexpr float kNever = -1e9F;

// Intervals first ... first + count - 1 and what changes between them cost.
class Intervals {
 public:
  Intervals(float shortest, float longest)
      : first_(std::max<int64_t>(2, static_cast<int64_t>(std::floor(shortest / kReach)))),
        count_(static_cast<int64_t>(std::ceil(longest * kReach)) - first_ + 1),
        // Changes further than this cost as much as a jump.
        near_(std::max<int64_t>(1, std::llround(0.03 * (shortest + longest)))),
        logs_(count_),
        prices_(count_ * (2 * near_ + 1)) {
    for (int64_t i = 0; i < count_; ++i) logs_[i] = std::log(static_cast<float>(first_ + i));
    for (int64_t i = 0; i < count_; ++i)
      for (int64_t j = begin(i); j < end(i); ++j)
        prices_[i * (2 * near_ + 1) + j - i + near_] =
            kChange * (logs_[i] - logs_[j]) * (logs_[i] - logs_[j]);
  }

  int64_t first() const { return first_; }
  int64_t count() const { return count_; }
  float log(int64_t index) const { return logs_[index]; }
  // Indices of the intervals near one of index i.
  int64_t begin(int64_t i) const { return std::max<int64_t>(0, i - near_); }
  int64_t end(int64_t i) const { return std::min(count_, i + near_ + 1); }
  const float* prices(int64_t i) const { return prices_.data() + i * (2 * near_ + 1) - i + near_; }

 private:
  int64_t first_, count_, near_;
  std::vector<float> logs_, prices_;
};

}  // namespace

BeatChain chain_beats_near(std::span<const float> onset, std::span<const float> period) {
  const auto frames = static_cast<int64_t>(onset.size());
  BeatChain chain;
  if (frames == 0) return chain;
  const auto [low, high] = std::minmax_element(period.begin(), period.end());
  const Intervals intervals(*low, *high);
  const int64_t first = intervals.first(), count = intervals.count();
  const int64_t ring = first + count;  // frames that later beats can still come from
  // Best score of a chain that ends in a beat at frame t and goes on with interval first + i, and
  // the index of the interval before.
  std::vector<float> onward(ring * count, 0);
  std::vector<uint8_t> before(frames * count);
  std::vector<float> score(count);
  int64_t last = 0, last_index = 0;
  float best_end = kNever;
  for (int64_t t = 0; t < frames; ++t) {
    const float expected = std::log(period[t]);
    const int64_t begin = std::max(first, static_cast<int64_t>(period[t] / kReach)) - first;
    const int64_t end =
        std::min(first + count, static_cast<int64_t>(std::ceil(period[t] * kReach)) + 1) - first;
    std::fill(score.begin(), score.end(), kNever);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t start = t - first - i;
      const float away = intervals.log(i) - expected;
      const float found = start >= 0 ? onward[start % ring * count + i] : 0;
      score[i] = onset[t] + std::max(found, 0.F) - kDeviation * away * away;
    }
    const auto top = static_cast<int64_t>(
        std::max_element(score.begin() + begin, score.begin() + end) - score.begin());
    float* row = onward.data() + t % ring * count;
    for (int64_t i = 0; i < count; ++i) {
      float best = score[top] - kJump;
      int64_t best_index = top;
      const float* prices = intervals.prices(i);
      const int64_t stop = std::min(intervals.end(i), end);
      for (int64_t j = std::max(intervals.begin(i), begin); j < stop; ++j) {
        if (score[j] - prices[j] > best) {
          best = score[j] - prices[j];
          best_index = j;
        }
      }
      row[i] = best;
      before[t * count + i] = static_cast<uint8_t>(best_index);
    }
    if (t + first + count > frames && score[top] > best_end) {
      best_end = score[top];
      last = t;
      last_index = top;
    }
  }
  chain.score = best_end;
  for (int64_t t = last, i = last_index; t >= 0;) {
    chain.beats.push_back(t);
    t -= first + i;
    if (t >= 0) i = before[t * count + i];
  }
  std::reverse(chain.beats.begin(), chain.beats.end());
  return chain;
}

}  // namespace vmr::audio::detail
