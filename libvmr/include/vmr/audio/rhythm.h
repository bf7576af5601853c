// Rhythm of a song, clip by clip: number of beats, their mean onset strength, the mean time between
// them; the classes UT-CMVMR embeds; and the statistics text its scripts exchange, which
// pipeline/reference_data.h reads. Stateless, thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "vmr/audio/beat.h"
#include "vmr/audio/clips.h"

namespace vmr::audio {

struct RhythmOptions {
  double clip_seconds = 4;
  BeatOptions beats;  // reference: each clip is tracked alone, as published; otherwise the whole
                      // song is tracked once and each beat counts in the clip it falls into
};

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const RhythmOptions& options);

// waveform: [samples] float32; floor(seconds / clip_seconds) clips are described, a remainder is
// not (cut_into_clips(...).flatten() has none).
// Returns [clips, 3] float32: number of beats; mean onset strength at the beats in decibels (nan
// for no beats); mean time between neighbouring beats of the clip in seconds (nan below two).
at::Tensor rhythm_measures(const at::Tensor& waveform, const RhythmOptions& options = {});

struct RhythmClassOptions {
  double clip_seconds = 4;
  int64_t beat_classes = 18;      // 0 to 17 beats
  int64_t strength_classes = 49;  // 0 to 48
  int64_t interval_classes = 65;  // 64 equal parts of clip_seconds, the last class: no interval
};

struct RhythmClasses {
  at::Tensor classes;   // [clips, 3] int64: beats, strength, interval
  int64_t clamped = 0;  // values that lay beyond the last class and were put into it
};

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const RhythmClassOptions& options);

// measures: [clips, 3] as above. Strength is rounded, ties to even; interval class =
// floor(interval * 64 / clip_seconds). Example: (4, 2.5, 0.5) gives (4, 2, 8); (0, nan, nan) gives
// (0, 0, 64).
// Throws: InvalidArgument for other shapes, or a number of beats or a strength that is negative,
// infinite or missing.
RhythmClasses rhythm_classes(const at::Tensor& measures, const RhythmClassOptions& options = {});

// The measures of one song in the statistics text.
struct RhythmEntry {
  std::string id;       // one word: the published scripts split lines at white space
  at::Tensor measures;  // [clips, 3] float32
};

// Header line "#aid n_beat beat_strength beat_interval", then one line per clip, tab separated,
// shortest decimal that reads back as the same float32, nan for undefined.
// Throws: InvalidArgument for an id that is empty, has white space or begins with #.
std::string write_rhythm_text(const std::vector<RhythmEntry>& entries);

}  // namespace vmr::audio
