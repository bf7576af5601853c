#include "retrieval/bar_strength.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "vmr/core/error.h"

namespace vmr::retrieval::detail {
namespace {

constexpr double kReachBeats = 32;       // in which the evidence of a down-beat falls to 1/e
constexpr double kVoteReachBeats = 128;  // and that of a section change
constexpr double kVoteSeconds = 0.15;    // standard deviation of a section change's time
constexpr double kDoubt = 0.05;          // of every phase, that it is the one after all
// Beats. What is further apart is no bar; each beat takes memory for all phases of its bar.
constexpr size_t kLongestBar = 16;

// The number of the nearest time. Requires: some.
size_t nearest(const std::vector<double>& times, double seconds) {
  const auto after = std::lower_bound(times.begin(), times.end(), seconds);
  if (after == times.begin()) return 0;
  const auto before = after - 1;
  const bool later = after != times.end() && *after - seconds < seconds - *before;
  return size_t((later ? after : before) - times.begin());
}

// The commonest number of beats from one down-beat to the next, up to kLongestBar; 4 for 2; 0 for
// none.
size_t beats_per_bar(const std::vector<size_t>& down_beats) {
  std::array<size_t, kLongestBar + 1> counts{};
  for (size_t i = 1; i < down_beats.size(); ++i) {
    const size_t gap = down_beats[i] - down_beats[i - 1];
    if (gap <= kLongestBar) ++counts[gap];
  }
  const auto bar = size_t(std::max_element(counts.begin(), counts.end()) - counts.begin());
  return bar == 2 ? 4 : bar;
}

// [beats, phases]: the evidence of each beat for its phase, spread over the beats around it.
class PhaseEvidence {
 public:
  PhaseEvidence(size_t beats, size_t phases) : phases_(phases), values_(beats * phases, 0.0) {}

  void add(size_t beat, double value) { values_[beat * phases_ + beat % phases_] += value; }
  double at(size_t beat, size_t phase) const { return values_[beat * phases_ + phase]; }

  void spread(double reach_beats) {
    const double decay = std::exp(-1 / reach_beats);
    const size_t beats = values_.size() / phases_;
    auto before = values_;
    for (size_t i = phases_; i < values_.size(); ++i) before[i] += decay * before[i - phases_];
    std::vector<double> after(phases_, 0.0);
    for (size_t beat = beats; beat-- > 0;) {
      for (size_t phase = 0; phase < phases_; ++phase) {
        const size_t i = beat * phases_ + phase;
        const double own = values_[i];
        values_[i] = before[i] + after[phase];
        after[phase] = decay * (after[phase] + own);
      }
    }
  }

 private:
  size_t phases_;
  std::vector<double> values_;
};

void add_votes(const TrackRhythm& track, PhaseEvidence& votes) {
  const auto& beats = track.beats_seconds;
  for (const auto& section : track.sections) {
    const double reach = 3 * kVoteSeconds;
    const auto first = std::lower_bound(beats.begin(), beats.end(), section.seconds - reach);
    const auto last = std::upper_bound(first, beats.end(), section.seconds + reach);
    const auto share = [&](double beat) {
      const double distance = (beat - section.seconds) / kVoteSeconds;
      return std::exp(-0.5 * distance * distance);
    };
    double total = 0;
    for (auto beat = first; beat != last; ++beat) total += share(*beat);
    for (auto beat = first; beat != last; ++beat) {
      votes.add(size_t(beat - beats.begin()), share(*beat) / total);
    }
  }
}

}  // namespace

std::vector<double> bar_strengths(const TrackRhythm& track) {
  const auto& beats = track.beats_seconds;
  const auto& bars = track.down_beats_seconds;
  if (beats.empty() || bars.size() < 2) return {};
  VMR_ASSERT(std::is_sorted(beats.begin(), beats.end()), "bar_strengths: beats must rise");
  VMR_ASSERT(std::is_sorted(bars.begin(), bars.end()), "bar_strengths: down-beats must rise");
  std::vector<size_t> down_beats;
  for (const double seconds : bars) down_beats.push_back(nearest(beats, seconds));
  const size_t phases = beats_per_bar(down_beats);
  if (phases < 2) return {};
  PhaseEvidence heard(beats.size(), phases), votes(beats.size(), phases);
  for (const size_t beat : down_beats) heard.add(beat, 1);
  heard.spread(kReachBeats);
  add_votes(track, votes);
  votes.spread(kVoteReachBeats);
  std::vector<double> strengths;
  for (size_t beat = 0; beat < beats.size(); ++beat) {
    double all_heard = 0, all = 0, own = 0;
    for (size_t phase = 0; phase < phases; ++phase) all_heard += heard.at(beat, phase);
    for (size_t phase = 0; phase < phases; ++phase) {
      const double likely = (heard.at(beat, phase) / std::max(all_heard, 1e-9) + kDoubt) *
                            std::exp(votes.at(beat, phase));
      all += likely;
      if (phase == beat % phases) own = likely;
    }
    strengths.push_back(own / all);
  }
  return strengths;
}

}  // namespace vmr::retrieval::detail
