#include "vmr/pipeline/motion_trajectory.h"

#include <cmath>

#include "vmr/core/error.h"
#include "vmr/media/probe.h"

namespace vmr::pipeline {
namespace {

// As FrameSampling::shown_at has it for coarse clocks.
constexpr double kToleranceSeconds = 0.5e-3;
// Intra frames in a row after which a film is known to have no vectors; encoders' longest usual
// distance of key frames is 300.
constexpr int64_t kPatience = 1000;

[[noreturn]] void fail_without_vectors(const std::filesystem::path& film) {
  const auto info = media::probe(film, {.scan = false});
  throw MediaError(detail::concat(
      film.string(), ": no motion vectors in its video (", info.video ? info.video->codec : "none",
      "): H.264, MPEG-4, MPEG-2 and their like have them, unless every frame stands alone; use "
      "farneback, or dis_ultrafast where speed matters"));
}

}  // namespace

video::BlockMotion block_motion(const media::MotionField& field) {
  video::BlockMotion motion{field.seconds, field.past_seconds, field.future_seconds,
                            field.height,  field.width,        {}};
  motion.blocks.reserve(field.vectors.size());
  for (const media::MotionVector& v : field.vectors) {
    motion.blocks.push_back({v.src_x, v.src_y, v.dst_x, v.dst_y, v.width, v.height, v.source > 0});
  }
  return motion;
}

MotionTrajectory read_motion_trajectory(const std::filesystem::path& film,
                                        const MotionTrajectoryOptions& options,
                                        std::stop_token stop) {
  VMR_CHECK(options.fps > 0 && std::isfinite(options.fps), "MotionTrajectoryOptions: fps is ",
            options.fps, ", expected more than 0");
  VMR_CHECK(options.max_seconds >= 0, "MotionTrajectoryOptions: max_seconds is ",
            options.max_seconds, ", expected 0 or more");
  MotionTrajectory result;
  video::MotionVectorStream stream(options.height, options.width);
  int64_t frames = 0;
  media::DecodePlan plan;
  plan.threads = options.threads;
  plan.motion_vectors = true;
  plan.on_motion = [&](const media::MotionField& field) {
    stream.push(block_motion(field));
    ++frames;
    bool shown_before = false;
    for (;;) {
      const double seconds = static_cast<double>(result.seconds.size()) / options.fps;
      if (options.max_seconds > 0 && seconds >= options.max_seconds - 1e-9) return false;
      if (seconds >= field.until_seconds - kToleranceSeconds) break;
      result.seconds.push_back(seconds);
      result.magnitudes.push_back(shown_before ? 0 : stream.take());
      shown_before = true;
    }
    return frames < kPatience || stream.covered() > 0;
  };
  result.problems = media::decode(film, plan, std::move(stop)).problems;
  result.covered = stream.covered();
  if (frames > 1 && result.covered == 0) fail_without_vectors(film);
  if (result.magnitudes.size() > 1) result.magnitudes[0] = result.magnitudes[1];
  return result;
}

}  // namespace vmr::pipeline
