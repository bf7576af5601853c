#include "synth/film_motion.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace vmr::synth {
namespace {

constexpr double kTwoPi = 6.283185307179586;

double start_seconds(const FilmScript& script, const Shot& shot) {
  return static_cast<double>(shot.begin_frame) / script.options.frames_per_second;
}

// Seconds of travel since the shot's start: its rate is 1 + pulse cos(...), fastest on the pulse.
double travelled(const FilmScript& script, const Shot& shot, double seconds) {
  const double turn = kTwoPi * shot.pulse_hertz, start = start_seconds(script, shot);
  const double swing = std::sin(turn * (seconds - shot.pulse_seconds)) -
                       std::sin(turn * (start - shot.pulse_seconds));
  return seconds - start + shot.pulse / turn * swing;
}

std::array<double, 2> shake_at(const Shot& shot, double seconds) {
  const double turn = kTwoPi * shot.shake_hertz * seconds;
  return {shot.shake_pixels * (std::sin(turn) + 0.5 * std::sin(1.71 * turn + 1.0)),
          shot.shake_pixels * (std::sin(1.23 * turn + 2.0) + 0.5 * std::sin(0.61 * turn))};
}

// There and back between low and high.
double reflect(double value, double low, double high) {
  const double width = high - low;
  double place = std::fmod(value - low, 2 * width);
  if (place < 0) place += 2 * width;
  return low + (place <= width ? place : 2 * width - place);
}

std::array<double, 2> inverse(const Affine& t, double u, double v) {
  const double determinant = t.a * t.d - t.b * t.c;
  const double x = u - t.e, y = v - t.f;
  return {(t.d * x - t.b * y) / determinant, (t.a * y - t.c * x) / determinant};
}

// How far the picture at (x, y) moves from one set of poses to the next.
double displacement(const Shot& shot, const std::vector<Pose>& now, const std::vector<Pose>& next,
                    const Affine& ground, const Affine& next_ground, double x, double y) {
  for (size_t i = now.size(); i-- > 0;) {  // the last one drawn lies on top
    const double dx = x - now[i].x, dy = y - now[i].y;
    const double radius = 0.75 * shot.movers[i].radius_pixels;
    if (dx * dx + dy * dy > radius * radius) continue;
    const double grow = next[i].magnification / now[i].magnification;
    const double turn = next[i].angle - now[i].angle;
    const double c = grow * std::cos(turn), s = grow * std::sin(turn);
    return std::hypot(next[i].x + c * dx - s * dy - x, next[i].y + s * dx + c * dy - y);
  }
  const auto moved = inverse(next_ground, ground.a * x + ground.b * y + ground.e,
                             ground.c * x + ground.d * y + ground.f);
  return std::hypot(moved[0] - x, moved[1] - y);
}

}  // namespace

Affine background_at(const FilmScript& script, const Shot& shot, double seconds) {
  const double travel = travelled(script, shot, seconds);
  const double scale = shot.tile_scale * std::exp(-shot.zoom * travel);
  const double angle = shot.angle + shot.roll * travel;
  const auto shake = shake_at(shot, seconds);
  Affine t;
  t.a = t.d = scale * std::cos(angle);
  t.c = scale * std::sin(angle);
  t.b = -t.c;
  const double x = shot.pan_x * travel + shake[0] - 0.5 * script.options.width;
  const double y = shot.pan_y * travel + shake[1] - 0.5 * script.options.height;
  t.e = t.a * x + t.b * y + shot.offset_x;
  t.f = t.c * x + t.d * y + shot.offset_y;
  return t;
}

Pose mover_at(const FilmScript& script, const Shot& shot, const Mover& mover, double seconds) {
  const double travel = travelled(script, shot, seconds);
  const auto shake = shake_at(shot, seconds);
  const double margin = 0.3 * mover.radius_pixels;
  Pose pose;
  pose.x =
      reflect(mover.x + mover.speed_x * travel, margin, script.options.width - margin) - shake[0];
  pose.y =
      reflect(mover.y + mover.speed_y * travel, margin, script.options.height - margin) - shake[1];
  pose.angle = mover.spin * travel;
  pose.magnification =
      1.0 + 0.1 * shot.pulse * std::cos(kTwoPi * shot.pulse_hertz * (seconds - shot.pulse_seconds));
  return pose;
}

std::vector<double> motion_curve(const FilmScript& script) {
  constexpr int kColumns = 16, kRows = 12;
  const double fps = script.options.frames_per_second;
  std::vector<double> curve;
  curve.reserve(static_cast<size_t>(script.frames));
  const auto poses_at = [&](const Shot& shot, double seconds) {
    std::vector<Pose> poses;
    for (const Mover& mover : shot.movers) poses.push_back(mover_at(script, shot, mover, seconds));
    return poses;
  };
  for (const Shot& shot : script.shots) {
    auto poses = poses_at(shot, static_cast<double>(shot.begin_frame) / fps);
    Affine ground = background_at(script, shot, static_cast<double>(shot.begin_frame) / fps);
    for (int64_t frame = shot.begin_frame; frame < shot.end_frame; ++frame) {
      if (frame + 1 == shot.end_frame && frame > shot.begin_frame) {
        curve.push_back(curve.back());
        continue;
      }
      const double later = static_cast<double>(frame + 1) / fps;
      auto next = poses_at(shot, later);
      const Affine next_ground = background_at(script, shot, later);
      double sum = 0.0;
      for (int row = 0; row < kRows; ++row) {
        for (int column = 0; column < kColumns; ++column) {
          sum += displacement(shot, poses, next, ground, next_ground,
                              (column + 0.5) * script.options.width / kColumns,
                              (row + 0.5) * script.options.height / kRows);
        }
      }
      curve.push_back(sum / (kColumns * kRows) * fps);
      poses = std::move(next);
      ground = next_ground;
    }
  }
  return curve;
}

}  // namespace vmr::synth
