// A film over a track, as the page of a fit shows it.
#pragma once

#include <string>

#include "pipeline/sound_peaks.h"
#include "vmr/retrieval/synchronisation.h"

namespace vmr::pipeline::detail {

inline constexpr int64_t kPeakColumns = 1000;  // as many as the figure is wide, in pixels

// Rules for a page's <style>.
extern const char* const kAlignmentStyle;

// HTML: which part of the track is heard; then over the film's time its motion and cuts, the
// track's beats, sound and energy from the chosen offset on. Stretches with the window, letters do
// not. An element of class "now" waits for a script to move it.
// peaks: kPeakColumns of them over the film, or none where the sound cannot be read.
std::string alignment_figure(const retrieval::FilmRhythm& film, const retrieval::TrackRhythm& track,
                             const retrieval::Synchronisation& fit, const SoundPeaks& peaks);

}  // namespace vmr::pipeline::detail
