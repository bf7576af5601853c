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

const BeatLanes::Lane* BeatLanes::lane_of(const std::vector<int64_t>& beats, int64_t begin) const {
  const Lane* best = nullptr;
  double most = kSame;
  for (const auto& lane : lanes_) {
    const double same = agreement(beats, lane.beats, begin);
    if (same < most) continue;
    most = same;
    best = &lane;
  }
  return best;
}

void BeatLanes::follow(std::vector<BeatHypothesis>& hypotheses, int64_t end) {
  const int64_t begin = end - kSharedFrames;
  join_alike(hypotheses, begin);
  std::vector<Lane> lanes;
  std::vector<const Lane*> went_on;
  for (const auto& hypothesis : hypotheses) {
    const auto& beats = hypothesis.chain.beats;
    const auto* lane = lane_of(beats, begin);
    lanes.push_back({{std::lower_bound(beats.begin(), beats.end(), begin), beats.end()},
                     kKeep * (lane ? lane->probability : 0) + (1 - kKeep) * hypothesis.probability,
                     0,
                     lane && lane->chosen});
    went_on.push_back(lane);
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
