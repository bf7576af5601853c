// The hypotheses of a stream over time: each window of the last seconds brings chains of beats
// anew, a lane is what stays the same from one to the next. Its odds are the mean over the windows,
// so that one window alone does not change the octave.
#pragma once

#include <cstdint>
#include <vector>

#include "audio/beat_hypotheses.h"

namespace vmr::audio::detail {

// Share of the beats of the busier list that have one of the other within 40 ms, in frames not
// before `begin`; 0 where both have none there.
double agreement(const std::vector<int64_t>& a, const std::vector<int64_t>& b, int64_t begin);

class BeatLanes {
 public:
  // hypotheses: of a window, not empty, their beats in frames of the stream; `end`: the frame
  // behind the window. Sets their probabilities to those by all windows so far, and puts the chosen
  // one first: the one that goes on with what was chosen before unless another is clearly better.
  void follow(std::vector<BeatHypothesis>& hypotheses, int64_t end);

  void forget();  // as if nothing had been heard

 private:
  struct Lane {
    std::vector<int64_t> beats;  // of the last seconds
    double probability;          // mean over the windows
    int missed;                  // windows since it was last there
    bool chosen;
  };

  // For each hypothesis the lane that it goes on with, or none: the most alike first, so that no
  // two share a past.
  std::vector<const Lane*> lanes_of(const std::vector<BeatHypothesis>& hypotheses,
                                    int64_t begin) const;

  std::vector<Lane> lanes_;
};

}  // namespace vmr::audio::detail
