// aubio's beat tracker, for BeatOptions::external. aubio is GPL-3, so this is a library of its own,
// vmr::aubio; a program that links it is a work under the GPL. Thread-safe.
#pragma once

#include "vmr/audio/beat.h"

namespace vmr::audio {

struct AubioBeatOptions {
  int64_t window_samples = 1024;  // hop_samples to 65536
  // 12 ms at 16 kHz. aubio is tuned for 512 at 44.1 kHz; longer hops make it halve the tempo.
  int64_t hop_samples = 192;
  // aubio drops beats below this level (dB); a click track with silence between the clicks needs
  // it low.
  double silence_decibels = -90;
};

// Throws: InvalidArgument naming the field, its value and the rule.
ExternalBeatTracker aubio_beat_tracker(const AubioBeatOptions& options = {});

}  // namespace vmr::audio
