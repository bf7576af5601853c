#include "audio/beat_stream_lanes.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vmr::audio::detail {
namespace {

constexpr int64_t kNearFrames = 4;
constexpr int64_t kSharedFrames = 600;  // the end of a window, where lanes are compared
constexpr double kSame = 0.6;           // least agreement of a lane's windows
constexpr double kKeep = 0.6;           // what the past counts in a lane's probability
constexpr double kMargin = 0.1;         // by which another lane must be better
constexpr int kMostMissed = 3;

int64_t count_near(const std::vector<int64_t>& a, const std::vector<int64_t>& b, int64_t begin) {
  int64_t count = 0;
  for (auto beat = std::lower_bound(a.begin(), a.end(), begin); beat != a.end(); ++beat) {
    const auto other = std::lower_bound(b.begin(), b.end(), *beat - kNearFrames);
    count += other != b.end() && *other <= *beat + kNearFrames;
  }
  return count;
}

// Chains that differ in the past only are one, with the probabilities of all.
void join_alike(std::vector<BeatHypothesis>& hypotheses, int64_t begin) {
  std::vector<BeatHypothesis> joined;
  for (auto& hypothesis : hypotheses) {
    const auto same = std::find_if(joined.begin(), joined.end(), [&](const auto& other) {
      return agreement(hypothesis.chain.beats, other.chain.beats, begin) >= kSame;
    });
    if (same == joined.end()) {
      joined.push_back(std::move(hypothesis));
    } else {
      same->probability += hypothesis.probability;
    }
  }
  hypotheses = std::move(joined);
}

}  // namespace

double agreement(const std::vector<int64_t>& a, const std::vector<int64_t>& b, int64_t begin) {
  const auto size = [&](const std::vector<int64_t>& beats) {
    return beats.end() - std::lower_bound(beats.begin(), beats.end(), begin);
  };
  const auto most = std::max(size(a), size(b));
  if (most == 0) return 0;
  return static_cast<double>(std::min(count_near(a, b, begin), count_near(b, a, begin))) /
         static_cast<double>(most);
}

std::vector<const BeatLanes::Lane*> BeatLanes::lanes_of(
    const std::vector<BeatHypothesis>& hypotheses, int64_t begin) const {
  struct Pair {
    double same;
    size_t hypothesis;
    const Lane* lane;
  };
  std::vector<Pair> pairs;
  for (size_t i = 0; i < hypotheses.size(); ++i)
    for (const auto& lane : lanes_) {
      const double same = agreement(hypotheses[i].chain.beats, lane.beats, begin);
      if (same >= kSame) pairs.push_back({same, i, &lane});
    }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.same > b.same; });
  std::vector<const Lane*> lanes(hypotheses.size());
  for (const auto& [same, hypothesis, lane] : pairs)
    if (!lanes[hypothesis] && std::find(lanes.begin(), lanes.end(), lane) == lanes.end())
      lanes[hypothesis] = lane;
  return lanes;
}

void BeatLanes::follow(std::vector<BeatHypothesis>& hypotheses, int64_t end) {
  const int64_t begin = end - kSharedFrames;
  join_alike(hypotheses, begin);
  const auto went_on = lanes_of(hypotheses, begin);
  std::vector<Lane> lanes;
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    const auto& beats = hypotheses[i].chain.beats;
    const auto* lane = went_on[i];
    lanes.push_back(
        {{std::lower_bound(beats.begin(), beats.end(), begin), beats.end()},
         kKeep * (lane ? lane->probability : 0) + (1 - kKeep) * hypotheses[i].probability,
         0,
         lane && lane->chosen});
  }
  int64_t best = 0;
  double sum = 0;
  const auto standing = [](const Lane& lane) {
    return lane.probability + (lane.chosen ? kMargin : 0);
  };
  for (size_t i = 0; i < lanes.size(); ++i) {
    sum += lanes[i].probability;
    if (standing(lanes[i]) > standing(lanes[best])) best = static_cast<int64_t>(i);
  }
  for (size_t i = 0; i < lanes.size(); ++i) {
    lanes[i].chosen = static_cast<int64_t>(i) == best;
    hypotheses[i].probability = lanes[i].probability / sum;
  }
  std::rotate(hypotheses.begin(), hypotheses.begin() + best, hypotheses.begin() + best + 1);
  for (const auto& lane : lanes_) {
    if (lane.missed >= kMostMissed) continue;
    if (std::find(went_on.begin(), went_on.end(), &lane) != went_on.end()) continue;
    lanes.push_back({lane.beats, kKeep * lane.probability, lane.missed + 1, false});
  }
  lanes_ = std::move(lanes);
}

void BeatLanes::forget() { lanes_.clear(); }

}  // namespace vmr::audio::detail
