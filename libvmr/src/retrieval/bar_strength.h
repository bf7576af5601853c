// How likely each beat of a track begins a bar.
#pragma once

#include <vector>

#include "vmr/retrieval/synchronisation.h"

namespace vmr::retrieval::detail {

// One share a beat, 0..1; empty where no two down-beats are 2 to 16 beats apart. Beats are counted
// through: a phase of the bar gains by the down-beats heard on it within some 32 beats, and by the
// section changes within some 128, which fall on the first beat of a bar. So a bar that is heard
// on another beat for a while counts little. Bars of two are taken for halves of bars of four.
// Requires: beats and down-beats that rise, which synchronise makes sure of.
std::vector<double> bar_strengths(const TrackRhythm& track);

}  // namespace vmr::retrieval::detail
