// What a film does that music can answer: its liveliness as a curve, motion peaks, changes.
#pragma once

#include <cstdint>
#include <vector>

#include "vmr/retrieval/synchronisation.h"

namespace vmr::retrieval::detail {

// A Gaussian window over `values`, which go on as their first and last beyond the ends.
// width: standard deviation in values.
std::vector<float> smoothed(const std::vector<float>& values, double width);

// Means of the curve over [begin + i step, begin + (i + 1) step), i = 0..count-1; `outside` where
// it has no values.
std::vector<float> resampled(const SampledCurve& curve, double begin_seconds, int64_t count,
                             double step_seconds, float outside);

// The film's motion without the spikes that a cut gives to optical flow.
SampledCurve calm_motion(const FilmRhythm& film);

// ln(motion + a tenth of its mean); empty where nothing moves.
SampledCurve log_motion(const FilmRhythm& film);

// The cuts, by how far the mean of `log_motion` over the seconds after lies from that before.
std::vector<TimedEvent> motion_changes(const FilmRhythm& film, const SampledCurve& log_motion);

}  // namespace vmr::retrieval::detail
