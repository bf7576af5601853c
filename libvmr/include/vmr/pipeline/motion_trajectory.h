// The flow trajectory of a film from its codec's motion vectors: every frame is decoded as far as
// its vectors, no flow is computed. docs/motion_vectors.md compares it with Farneback's.
// Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "vmr/media/decode.h"
#include "vmr/video/motion_vector_flow.h"

namespace vmr::pipeline {

// The vectors of a decoded frame as plain values; times in seconds.
video::BlockMotion block_motion(const media::MotionField& field);

struct MotionTrajectoryOptions {
  double fps = 3;                     // frames kept a second
  int64_t height = 240, width = 320;  // pixels that lengths are counted in
  double max_seconds = 0;             // 0: the whole film
  int threads = 1;                    // of the decoder; changes speed only. 0: one per core
};

struct MotionTrajectory {
  std::vector<double> seconds;  // k / fps
  // Mean way of the picture since the kept frame before, pixels; value[0] = value[1].
  std::vector<float> magnitudes;
  double covered = 0;  // mean share of the picture of which a vector told
  std::vector<std::string> problems;
};

// Throws: InvalidArgument for an option out of range; MediaError for what cannot be decoded and for
// films whose codec has no motion vectors, naming what to use instead; NotBuilt without FFmpeg.
MotionTrajectory read_motion_trajectory(const std::filesystem::path& film,
                                        const MotionTrajectoryOptions& options = {},
                                        std::stop_token stop = {});

}  // namespace vmr::pipeline
