// Flow per clip and its classes, as UT-CMVMR adds to its clip features: the mean flow magnitude
// inside a clip, then one of 64 classes, class 64 kept for "missing". The published edges (width 5
// pixels up to 320) are made for a diagonal nobody's films reach: nearly all clips fall into the
// first classes. Edges fitted to the quantiles of the training films use all of them.
// Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "vmr/video/optical_flow.h"

namespace vmr::video {

// Which frames form a clip: the rule of clip_frame_indices.
struct ClipRule {
  int64_t clip_frames = 4;  // >= 2, so that a clip has a pair
  int64_t max_frames = 30;
};

void validate(const ClipRule& rule);

// `frames` [n, h, w] uint8 grey or [n, h, w, 3] uint8 RGB, on the CPU -> [clips] float32, pixels
// per frame step: the mean over the clip_frames - 1 pairs inside a clip of the mean flow magnitude.
// Pairs across a clip boundary are not computed. A film too short for one clip gives [0]. Throws:
// as optical_flow.
at::Tensor clip_flow_measures(const at::Tensor& frames, const FlowOptions& options = {},
                              const ClipRule& rule = {});

// Class i holds edges[i] <= value < edges[i + 1].
struct FlowClassEdges {
  std::vector<double> edges;  // classes + 1 values, pixels, not falling
  std::string kind;           // "reference", "quantile": where they came from

  int64_t classes() const { return static_cast<int64_t>(edges.size()) - 1; }
  bool operator==(const FlowClassEdges&) const = default;
};

// Throws: InvalidArgument unless there are two or more finite edges, none smaller than the one
// before.
void validate(const FlowClassEdges& edges);

// 0, 5, 10, ..., 320: the published 64 classes for 224 x 224 frames.
FlowClassEdges reference_edges();

// Edges between which the training values fall in equal numbers: the i/classes quantiles (linear
// interpolation between order statistics), the last one just above the largest value. NaNs are
// left out. Repeated values make empty classes, not errors.
// Requires: a finite value, classes >= 1. Throws: InvalidArgument.
FlowClassEdges fit_quantile_edges(const std::vector<float>& training_values, int64_t classes = 64);

struct FlowClasses {
  at::Tensor classes;   // [clips] int64 in 0..classes; the last number stands for "missing"
  int64_t clamped = 0;  // values outside the edges, put in the first or last class
  int64_t missing = 0;  // NaNs
};

// `measures` [clips] float32 or float64, pixels. NaN is class edges.classes() (64), a value outside
// the edges goes to the nearest class and is counted.
// Throws: InvalidArgument.
FlowClasses flow_classes(const at::Tensor& measures, const FlowClassEdges& edges);

// {"kind":"quantile","edges":[...]}; reading it back gives equal edges, bit for bit.
std::string to_json(const FlowClassEdges& edges);
// Throws: InvalidArgument naming what is wrong.
FlowClassEdges flow_class_edges_from_json(const std::string& text);

}  // namespace vmr::video
