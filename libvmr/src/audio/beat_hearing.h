// Waveform -> what the tracker hears: the spectrum it looks at and its onset curves.
#pragma once

#include <ATen/core/Tensor.h>

#include "audio/beat_bands.h"
#include "vmr/audio/log_mel.h"

namespace vmr::audio::detail {

// Frames of 32 ms every 10 ms, 64 bands up to 8 kHz at any rate.
LogMelOptions tracker_spectrum(double rate_hz);

// rows: [frames, mels] float32 on the CPU, decibels, of log_mel_rows with these options.
BeatBands hear(const at::Tensor& rows, const LogMelOptions& spectrum);

// The same from a waveform [samples] float32.
BeatBands hear(const at::Tensor& waveform, double rate_hz);

}  // namespace vmr::audio::detail
