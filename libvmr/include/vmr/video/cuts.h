// Hard cuts of a film: the frames at which one shot ends and another begins. Two neighbouring
// frames are compared by what stays equal while a camera pans or things move: the joint histogram
// of hue, saturation and value, and the luma of small blocks, each matched to its best place
// nearby. A cut stands out against the scores around it, so noise and constant fast motion raise
// the bar for themselves. A flash, after which the old shot goes on, is not a cut; dissolves are
// not found.
//
// Deterministic. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace vmr::video {

struct CutOptions {
  double min_score = 0.25;        // absolute bar in 0..1; lower finds cuts between alike shots
  double local_ratio = 2.0;       // a cut's score over the median score around it, > 1
  double local_seconds = 1.0;     // what "around" is, to each side (at least 3 pairs)
  double min_shot_seconds = 0.2;  // of two cuts nearer than this the stronger one stays
};

void validate(const CutOptions& options);

struct Cut {
  double seconds = 0.0;  // time of the first frame of the new shot
  double score = 0.0;    // 0 = same picture, 1 = nothing in common
};

// `frames` [n, h, w, 3] uint8 RGB, consecutive and small (about 64 to 320 pixels wide; larger ones
// are averaged down), `times` their n rising times in seconds. 8 to 30 frames/s suit it; with few
// frames a second only cuts between different looking shots are certain. Fewer than 2 frames: none.
// Requires: h, w >= 16. Throws: InvalidArgument.
std::vector<Cut> detect_cuts(const at::Tensor& frames, const std::vector<double>& times,
                             const CutOptions& options = {});

// The scores themselves, one per pair (i, i+1), each in 0..1; for plots and for choosing options.
std::vector<double> cut_scores(const at::Tensor& frames);

}  // namespace vmr::video
