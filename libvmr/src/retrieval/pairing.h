// One film, as it is played against tracks at one speed, laid over one track.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "retrieval/energy_correlation.h"
#include "retrieval/event_nearness.h"
#include "vmr/retrieval/synchronisation.h"

namespace vmr::retrieval::detail {

// What happens inside a film, in its own time.
struct FilmMaterial {
  double duration = 0;
  std::vector<TimedEvent> cuts, peaks, changes;
  std::vector<int64_t> peak_groups;
  SampledCurve log_motion;
};
FilmMaterial material_of(const FilmRhythm& film);

// The same in the track's time. Made once for all tracks.
struct FilmView {
  double stretch = 1, duration = 0;
  FilmEvents cuts, peaks, changes;
  FilmActivity activity;
};
FilmView view_of(const FilmMaterial& film, double stretch);

// All parts with their weights, whose squares sum to 1. Keeps a reference to the view.
class Pairing {
 public:
  Pairing(const FilmView& film, const TrackRhythm& track, const SynchroniseOptions& options);

  double first_offset() const { return std::min(room_, 0.0); }
  double last_offset() const { return std::max(room_, 0.0); }
  bool has_parts() const { return has_parts_; }
  // Of motion and energy; 0 where there is none.
  double correlation(double offset) const;

  // The weighed sum of the parts at all offsets, kOffsetStepSeconds apart from the first.
  std::vector<float> curve() const;
  // The parts at one offset, exactly.
  std::vector<ScorePart> parts(double offset) const;
  // The best offset near one of the grid.
  double refined(double offset) const;

 private:
  void place_events(const TrackRhythm& track);

  const FilmView& film_;
  const double room_;
  Nearness beats_, motion_, sections_;
  const EnergyCorrelation energy_;
  std::array<double, 4> weights_{};
  bool has_parts_ = false;
};

}  // namespace vmr::retrieval::detail
