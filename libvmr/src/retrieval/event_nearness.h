// How well events of a film meet events of a track, at one offset and at all of them.
#pragma once

#include <cstdint>
#include <vector>

#include "vmr/retrieval/synchronisation.h"

namespace vmr::retrieval::detail {

inline constexpr double kOffsetStepSeconds = 0.01;

// Events of a film in the track's time, weights of sum 1. `spread`: standard deviation of their
// weighted sum over that of one event, where events (or groups of them) fall at random.
struct FilmEvents {
  std::vector<double> seconds;
  std::vector<float> weights;
  double spread = 1;
  bool empty() const { return seconds.empty(); }
};

// groups: of the group each event belongs to, not falling; empty: each is one of its own.
FilmEvents film_events(const std::vector<TimedEvent>& events, double stretch,
                       const std::vector<int64_t>& groups = {});

// How near any time is to events of a track: the highest of Gaussian windows around them.
class Nearness {
 public:
  Nearness(double width_seconds, double track_seconds, bool rare = false)
      : width_(width_seconds), track_seconds_(track_seconds), rare_(rare) {}

  // Events outside the track are left out.
  void add(double seconds, double height);
  // Once, after all events, before what follows: offsets begin at `begin` (0 or less), the last
  // time asked for is `end` (the track's end or more).
  void fill(double begin, double end);
  // Whether some times are nearer than others.
  bool usable() const { return sd_ > 1e-6; }

  // The standard score of the film's events, weighed, is added to total[k] for the offset
  // begin + k kOffsetStepSeconds. Times are rounded to the step. Of rare events scores are
  // squashed: their asinh, since a sum of a few windows is far from normal, and one hit counts for
  // many.
  void add_scores(const FilmEvents& film, double weight, std::vector<float>& total) const;
  // The same at any offset, exactly.
  double score(const FilmEvents& film, double offset) const;

 private:
  double window(double seconds, const TimedEvent& event) const;
  double at(double seconds) const;
  void measure();

  double width_, track_seconds_;
  bool rare_;
  double begin_ = 0, mean_ = 0, sd_ = 0;
  std::vector<TimedEvent> events_;
  std::vector<float> cells_;  // one a step from begin_
};

}  // namespace vmr::retrieval::detail
