// Correlation of how lively a film is with how loud a track is, at every offset.
#pragma once

#include <vector>

#include "vmr/retrieval/synchronisation.h"

namespace vmr::retrieval::detail {

inline constexpr double kClockSeconds = 0.1;  // of the common clock

// A film's side: its log motion on the clock in the track's time, smoothed, mean 0, length 1 as a
// vector. Empty where nothing moves, or always alike.
struct FilmActivity {
  std::vector<float> values;
  std::vector<double> rho;  // autocorrelation, of short films no less than the window's
};
FilmActivity film_activity(const SampledCurve& log_motion, double film_seconds, double stretch);

class EnergyCorrelation {
 public:
  // Offsets from begin to last, in seconds of the track; beyond its ends the music is as loud as
  // where it is softest.
  EnergyCorrelation(const FilmActivity& film, const SampledCurve& energy, double begin,
                    double last);
  bool usable() const { return !correlations_.empty(); }
  // Pearson's, -1..1, linear between the ticks of the clock.
  double correlation(double offset) const;
  // Fisher's atanh of it over its standard deviation for unrelated curves as smooth as these.
  double score(double offset) const;
  // Adds the weighed score to total[k] for the offset begin + k kOffsetStepSeconds.
  void add_scores(double weight, std::vector<float>& total) const;

 private:
  void slide(const std::vector<float>& film, const std::vector<float>& energy, int64_t offsets);

  double begin_;
  std::vector<float> correlations_, scores_;  // one a tick
};

}  // namespace vmr::retrieval::detail
