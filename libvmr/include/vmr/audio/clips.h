// A song as clips of equal length, the unit that UT-CMVMR describes: the first max_seconds, whole
// clips, a remainder longer than half a clip completed by silence, a shorter one dropped.
// Stateless, thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace vmr::audio {

struct ClipOptions {
  double rate_hz = 16000;
  double clip_seconds = 4;  // a whole number of samples
  double max_seconds = 30;  // what lies behind is dropped; 0: nothing is
};

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const ClipOptions& options);

// Number of clips of `samples` samples. Examples at the defaults: 2 s give 0, 2.1 s 1, 10.1 s 3,
// 30 s and more 7.
int64_t clip_count(int64_t samples, const ClipOptions& options = {});

// waveform: [samples]. Returns [clips, clip samples] of the same dtype; 0 clips where it is not
// longer than half a clip. flatten() gives the stored song.
// Throws: InvalidArgument for other shapes.
at::Tensor cut_into_clips(const at::Tensor& waveform, const ClipOptions& options = {});

}  // namespace vmr::audio
