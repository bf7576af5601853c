#include "audio/beat_chain.h"

#include <algorithm>
#include <cmath>

namespace vmr::audio::detail {
namespace {

constexpr float kReach = 1.2F;    // an interval over the expected one, or the inverse
constexpr float kDeviation = 40;  // price of leaving the expected period
constexpr float kChange = 150;    // price of an interval unlike the one before
constexpr float kJump = 12;       // the most that a change costs
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
        prices_(count_ * (2 * near_ + 1), kJump) {
    for (int64_t i = 0; i < count_; ++i) logs_[i] = std::log(static_cast<float>(first_ + i));
    for (int64_t step = -near_; step <= near_; ++step)
      for (int64_t i = std::max<int64_t>(0, -step); i < std::min(count_, count_ - step); ++i)
        prices_[(step + near_) * count_ + i] =
            kChange * (logs_[i] - logs_[i + step]) * (logs_[i] - logs_[i + step]);
  }

  int64_t first() const { return first_; }
  int64_t count() const { return count_; }
  int64_t near() const { return near_; }
  float log(int64_t index) const { return logs_[index]; }
  // Prices of going on with interval i after interval i + step, [count].
  const float* prices(int64_t step) const { return prices_.data() + (step + near_) * count_; }

 private:
  int64_t first_, count_, near_;
  std::vector<float> logs_, prices_;
};

// best[i] = the largest of score[top] - kJump and score[i + step] - price, and where it came from.
// score: kNever for `near` places before and behind, and outside of [begin, end). Loops that
// vectorise; `origin` is wide for that.
void go_on(const Intervals& intervals, const float* score, int64_t begin, int64_t end, int64_t top,
           float* best, int32_t* origin) {
  const int64_t count = intervals.count();
  std::fill(best, best + count, score[top] - kJump);
  std::fill(origin, origin + count, static_cast<int32_t>(top));
  const auto first = static_cast<int32_t>(std::max<int64_t>(0, begin - intervals.near()));
  const auto last = static_cast<int32_t>(std::min(count, end + intervals.near()));
  for (auto step = static_cast<int32_t>(-intervals.near()); step <= intervals.near(); ++step) {
    const float* __restrict prices = intervals.prices(step);
    const float* __restrict from = score + step;
    for (int32_t i = first; i < last; ++i) {
      const float value = from[i] - prices[i];
      const bool better = value > best[i];
      best[i] = better ? value : best[i];
      origin[i] = better ? i + step : origin[i];
    }
  }
}

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
  std::vector<float> padded(count + 2 * intervals.near(), kNever);
  float* score = padded.data() + intervals.near();
  std::vector<int32_t> origin(count);
  int64_t last = 0, last_index = 0;
  float best_end = kNever;
  for (int64_t t = 0; t < frames; ++t) {
    const float expected = std::log(period[t]);
    const int64_t begin = std::max(first, static_cast<int64_t>(period[t] / kReach)) - first;
    const int64_t end =
        std::min(first + count, static_cast<int64_t>(std::ceil(period[t] * kReach)) + 1) - first;
    std::fill(score, score + count, kNever);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t start = t - first - i;
      const float away = intervals.log(i) - expected;
      const float found = start >= 0 ? onward[start % ring * count + i] : 0;
      score[i] = onset[t] + std::max(found, 0.F) - kDeviation * away * away;
    }
    const int64_t top = std::max_element(score + begin, score + end) - score;
    go_on(intervals, score, begin, end, top, onward.data() + t % ring * count, origin.data());
    std::copy(origin.begin(), origin.end(), before.begin() + t * count);
    if (t + first + count > frames && score[top] >= best_end) {
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
