// Pins that a film's truth is what is in its pixels: cuts, motion and light; and that difficulty
// takes the cuts off the beat.
#include "vmr/synth/film.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "synth/film_motion.h"
#include "vmr/core/error.h"

namespace vmr::synth {
namespace {

FilmScript script_for(int64_t track, double difficulty, double seconds = 12,
                      TrackState* state_out = nullptr) {
  const TrackState state = draw_track(21, track, seconds + 2);
  if (state_out != nullptr) *state_out = state;
  FilmOptions options;
  options.seconds = seconds;
  options.difficulty = difficulty;
  options.seed = static_cast<uint64_t>(100 + track);
  return write_film_script(observe(state, difficulty, 21, track, 0), plan_song(state), options);
}

at::Tensor grey(const at::Tensor& rgb) { return rgb.to(at::kFloat).mean(2); }

// Difference of neighbouring frames that motion hardly makes: of 8 x 8 block means.
double jump(const at::Tensor& a, const at::Tensor& b) {
  const auto blocks = [](const at::Tensor& rgb) {
    return grey(rgb).view({30, 8, 40, 8}).mean({1, 3});
  };
  return (blocks(a) - blocks(b)).abs().mean().item<double>();
}

TEST(FilmRenderer, BreaksThePictureAtTheCutsAndNowhereElse) {
  for (const int64_t track : {0, 5, 6, 11}) {
    const FilmScript script = script_for(track, 0.3);
    ASSERT_GE(script.shots.size(), 2u);
    FilmRenderer renderer(script);
    at::Tensor before = renderer.render(0).clone();
    double smooth = 0.0, least_cut = 1e9;
    size_t next_shot = 1;
    for (int64_t frame = 1; frame < script.frames; ++frame) {
      const at::Tensor now = renderer.render(frame).clone();
      const bool cut =
          next_shot < script.shots.size() && frame == script.shots[next_shot].begin_frame;
      const double size = jump(before, now);
      if (cut) {
        least_cut = std::min(least_cut, size);
        ++next_shot;
      } else {
        smooth = std::max(smooth, size);
      }
      before = now;
    }
    EXPECT_EQ(next_shot, script.shots.size());
    EXPECT_GT(least_cut, smooth) << "track " << track;
  }
}

TEST(FilmRenderer, DrawsAnyFrameAlike) {
  const FilmScript script = script_for(3, 0.3);
  FilmRenderer forward(script), direct(script);
  at::Tensor last;
  for (int64_t frame = 0; frame <= 200; ++frame) last = forward.render(frame);
  EXPECT_TRUE(last.equal(direct.render(200)));
  EXPECT_EQ(last.sizes(), (std::vector<int64_t>{240, 320, 3}));
  EXPECT_THROW(direct.render(script.frames), InvalidArgument);
}

TEST(FilmRenderer, MovesTheBackgroundAsTheTruthSays) {
  FilmScript script = script_for(0, 0.3, 2);
  script.shots.resize(1);
  Shot& shot = script.shots[0];
  shot.end_frame = script.frames;
  shot.movers.clear();
  shot.pan_x = 50;  // two pixels a frame at 25 frames per second
  shot.pan_y = 0;
  shot.zoom = shot.roll = shot.shake_pixels = shot.pulse = 0;
  FilmRenderer renderer(script);
  const at::Tensor first = grey(renderer.render(0)).clone(), next = grey(renderer.render(1));
  // What was at x + 2 is now at x.
  const auto error = (first.narrow(1, 2, 318) - next.narrow(1, 0, 318)).abs().mean();
  EXPECT_LT(error.item<double>(), 1.0);
  for (const double speed : motion_curve(script)) EXPECT_NEAR(speed, 50.0, 1e-6);
}

TEST(MotionCurve, MeasuresZoomByItsMeanRadius) {
  FilmScript script = script_for(0, 0.3, 2);
  script.shots.resize(1);
  Shot& shot = script.shots[0];
  shot.end_frame = script.frames;
  shot.movers.clear();
  shot.zoom = 0.1;
  shot.pan_x = shot.pan_y = shot.roll = shot.shake_pixels = shot.pulse = 0;
  // Speed at p is 0.1 * |p - centre|; the mean distance to the centre of a 320 x 240 picture.
  double mean = 0.0;
  for (int y = 0; y < 240; ++y) {
    for (int x = 0; x < 320; ++x) mean += std::hypot(x + .5 - 160, y + .5 - 120) / (320 * 240);
  }
  EXPECT_NEAR(motion_curve(script)[10], 0.1 * mean, 0.01 * 0.1 * mean);
}

TEST(MotionCurve, RisesWithEnergyAndTempo) {
  const TrackState state = draw_track(1, 0, 20);
  const auto mean_motion = [&](double energy, double tempo) {
    double sum = 0.0;
    for (uint64_t seed = 0; seed < 8; ++seed) {
      Observation seen{.mood = 0, .style = {energy, .5, .5, .5, .5}, .tempo_bpm = tempo};
      FilmOptions options;
      options.seconds = 10;
      options.seed = seed;
      const auto curve = motion_curve(write_film_script(seen, plan_song(state), options));
      for (const double value : curve) sum += value / static_cast<double>(curve.size() * 8);
    }
    return sum;
  };
  EXPECT_GT(mean_motion(0.9, 100), 2 * mean_motion(0.2, 100));
  EXPECT_GT(mean_motion(0.5, 180), 1.2 * mean_motion(0.5, 70));
}

// Share of cuts within half a frame of a beat.
double agreement(double difficulty) {
  double hits = 0, cuts = 0;
  for (int64_t track = 0; track < 48; ++track) {
    TrackState state;
    const FilmScript script = script_for(track, difficulty, 30, &state);
    const std::vector<double> beats = plan_song(state).beats;
    for (const double cut : script.cut_seconds()) {
      double nearest = 1e9;
      for (const double beat : beats) nearest = std::min(nearest, std::abs(cut - beat));
      hits += nearest <= 0.5 / script.options.frames_per_second + 1e-9;
      ++cuts;
    }
  }
  return hits / cuts;
}

TEST(FilmScript, TakesItsCutsOffTheBeatWithDifficulty) {
  EXPECT_GT(agreement(0.0), 0.97);
  EXPECT_NEAR(agreement(0.5), cut_agreement(0.5) + (1 - cut_agreement(0.5)) * 0.07, 0.06);
  EXPECT_LT(agreement(1.0), 0.2);
}

TEST(FilmScript, ShotsFollowEachOtherToTheEnd) {
  for (int64_t track = 0; track < 24; ++track) {
    const FilmScript script = script_for(track, 0.7, 20);
    int64_t frame = 0;
    for (const Shot& shot : script.shots) {
      EXPECT_EQ(shot.begin_frame, frame);
      EXPECT_GE(shot.end_frame - shot.begin_frame, 10);
      frame = shot.end_frame;
    }
    EXPECT_EQ(frame, script.frames);
  }
}

TEST(FilmScript, ShowsBrightnessInGreyFrames) {
  const TrackState state = draw_track(1, 0, 20);
  const auto light = [&](double brightness) {
    Observation seen{.mood = 0, .style = {.5, brightness, .5, .5, .5}, .tempo_bpm = 100};
    FilmOptions options;
    options.seconds = 4;
    FilmRenderer renderer(write_film_script(seen, plan_song(state), options));
    return grey(renderer.render(30)).mean().item<double>();
  };
  EXPECT_GT(light(0.9), light(0.1) + 80);
}

TEST(FilmSound, IsQuietAndNotTheMusic) {
  const FilmScript script = script_for(2, 0.3, 4);
  const at::Tensor sound = film_sound(script);
  EXPECT_EQ(sound.sizes(), (std::vector<int64_t>{1, 4 * kFilmRateHz}));
  EXPECT_NEAR(sound.square().mean().sqrt().item<double>(), 0.015, 0.001);
  EXPECT_TRUE(sound.equal(film_sound(script)));
}

}  // namespace
}  // namespace vmr::synth
