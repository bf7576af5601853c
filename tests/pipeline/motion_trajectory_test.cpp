// Pins how near the flow of motion vectors comes to the true motion of generated films, beside
// Farneback's on the same frames, and the trajectory to the way of the camera. The figures of
// docs/motion_vectors.md are the properties that these tests record (--gtest_output=json:FILE).
#include "vmr/pipeline/motion_trajectory.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/films.h"
#include "support/temp_folder.h"
#include "video/texture.h"
#include "vmr/core/error.h"
#include "vmr/media/decode.h"
#include "vmr/video/frame.h"
#include "vmr/video/optical_flow.h"

namespace vmr::pipeline {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
using video::test::Corner;

constexpr int kWidth = 320, kHeight = 240;
constexpr int64_t kObjectSide = 112;

// What moves in a frame, in 1/16 pixel: the camera over its plane, and an object over the picture.
struct Scene {
  int64_t seed = 1;
  Corner camera{16000, 16000};
  Corner object{-1, 0};  // upper left corner; below 0: none
};

struct Film {
  std::vector<Scene> scenes;  // one a frame

  at::Tensor frame(size_t i) const;
  at::Tensor truth() const;  // [frames - 1, 2, h, w] float32, NaN over a cut
};

at::Tensor Film::frame(size_t i) const {
  const Scene& scene = scenes[i];
  at::Tensor grey = at::empty({kHeight, kWidth}, at::kByte);
  video::test::paint(grey, scene.camera.x, scene.camera.y, scene.seed);
  if (scene.object.x >= 0) {
    const int64_t left = (scene.object.x + 15) / 16, top = (scene.object.y + 15) / 16;
    at::Tensor object = at::empty({kObjectSide, kObjectSide}, at::kByte);
    video::test::paint(object, 8000 + 16 * left - scene.object.x, 8000 + 16 * top - scene.object.y,
                       scene.seed + 40);
    grey.slice(0, top, top + kObjectSide).slice(1, left, left + kObjectSide).copy_(object);
  }
  return grey.unsqueeze(2).expand({-1, -1, 3}).contiguous();
}

at::Tensor Film::truth() const {
  const auto pairs = static_cast<int64_t>(scenes.size()) - 1;
  at::Tensor flow = at::full({pairs, 2, kHeight, kWidth}, NAN, at::kFloat);
  const auto fill = [](at::Tensor field, int64_t x, int64_t y) {
    field[0].fill_(static_cast<double>(x) / 16);
    field[1].fill_(static_cast<double>(y) / 16);
  };
  for (int64_t i = 0; i < pairs; ++i) {
    const Scene &a = scenes[size_t(i)], &b = scenes[size_t(i) + 1];
    if (a.seed != b.seed) continue;
    fill(flow[i], a.camera.x - b.camera.x, a.camera.y - b.camera.y);
    if (a.object.x < 0) continue;
    const int64_t left = (a.object.x + 15) / 16, top = (a.object.y + 15) / 16;
    fill(flow[i].slice(1, top, top + kObjectSide).slice(2, left, left + kObjectSide),
         b.object.x - a.object.x, b.object.y - a.object.y);
  }
  return flow;
}

// Speeds rise and fall, 0.5 to 5.5 pixels a frame, so that there is a course to follow.
Film pan(int frames = 60) {
  Film film;
  Scene scene;
  for (int i = 0; i < frames; ++i) {
    film.scenes.push_back(scene);
    const double speed = 16 * (3 + 2.5 * std::sin(i * 0.3));
    scene.camera.x += std::lround(speed);
    scene.camera.y += std::lround(-0.4 * speed);
  }
  return film;
}

Film moving_object() {
  Film film;
  Scene scene{.object = {160, 1200}};
  for (int i = 0; i < 60; ++i) {
    film.scenes.push_back(scene);
    const double speed = 16 * (2.5 + 2 * std::sin(i * 0.3));
    scene.object.x += std::lround(speed);
    scene.object.y += std::lround(-0.3 * speed);
  }
  return film;
}

Film cuts() {
  Film film;
  for (int shot = 0; shot < 4; ++shot) {
    Scene scene{.seed = 1 + shot * 100};
    for (int i = 0; i < 15; ++i) {
      film.scenes.push_back(scene);
      scene.camera.x += (shot % 2 ? -1 : 1) * (10 + 22 * shot);
      scene.camera.y += 12 * shot;
    }
  }
  return film;
}

void write(const Film& film, const std::filesystem::path& path, media::FilmWriterOptions options) {
  options.width = kWidth;
  options.height = kHeight;
  options.channels = 0;
  media::FilmWriter writer(path, options);
  for (size_t i = 0; i < film.scenes.size(); ++i) writer.add_frame(film.frame(i));
  writer.finish();
}

at::Tensor lengths(const at::Tensor& flow) { return flow.square().sum(1).sqrt(); }
at::Tensor mean_lengths(const at::Tensor& flow) { return lengths(flow).flatten(1).mean(1); }

// Over the pairs for which both are known.
double correlation(const at::Tensor& a, const at::Tensor& b) {
  const auto known = (a + b).isfinite();
  return at::corrcoef(at::stack({a.masked_select(known), b.masked_select(known)}))[0][1]
      .item<double>();
}

struct Quality {
  double error = 0, farneback_error = 0;  // mean end-point error but over cuts, pixels
  double covered = 0;
  // Correlation of the mean lengths: of ours with the truth's and with Farneback's, of Farneback's
  // with the truth's.
  double with_truth = 0, with_farneback = 0, farneback_with_truth = 0;
};

Quality measure(const std::string& name, const Film& film,
                const media::FilmWriterOptions& options) {
  const test::TempFolder folder;
  write(film, folder / "a.mp4", options);
  media::DecodePlan plan;
  plan.motion_vectors = true;
  plan.frame_jobs = {{}};
  const auto decoded = media::decode(folder / "a.mp4", plan);
  std::vector<video::BlockMotion> motion;
  for (const auto& field : decoded.motion) motion.push_back(block_motion(field));
  const auto ours = video::flow_from_motion_vectors(motion, kHeight, kWidth);
  const auto farneback = video::optical_flow(decoded.frames.front().pixels);
  const auto truth = film.truth();
  Quality quality;
  quality.error = at::nanmean(lengths(ours.flow - truth)).item<double>();
  quality.farneback_error = at::nanmean(lengths(farneback - truth)).item<double>();
  quality.covered = ours.covered.mean().item<double>();
  const auto true_lengths = mean_lengths(truth);
  const auto our_lengths = mean_lengths(ours.flow) + 0 * true_lengths;  // unknown over cuts
  quality.with_truth = correlation(our_lengths, true_lengths);
  quality.with_farneback = correlation(our_lengths, mean_lengths(farneback));
  quality.farneback_with_truth = correlation(mean_lengths(farneback), true_lengths);
  const auto record = [&](const char* what, double value) {
    testing::Test::RecordProperty(name + "_" + what, std::to_string(value));
  };
  record("speed", at::nanmean(lengths(truth)).item<double>());
  record("error", quality.error);
  record("farneback_error", quality.farneback_error);
  record("covered", quality.covered);
  record("with_truth", quality.with_truth);
  record("with_farneback", quality.with_farneback);
  record("farneback_with_truth", quality.farneback_with_truth);
  return quality;
}

struct Encoder {
  std::string name;
  media::FilmWriterOptions options;
  double error, correlation;  // what is reached or better, pixels
};

// Frames between others are found from both sides, so that their vectors are less sure; from
// "medium" on blocks refer to several frames, which FFmpeg does not tell.
const std::vector<Encoder> kEncoders = {{"no_b_frames", {.b_frames = 0}, 0.16, 0.997},
                                        {"veryfast", {}, 0.35, 0.97},
                                        {"medium", {.preset = "medium"}, 0.55, 0.8}};

void expect_near_the_truth(const Film& film) {
  for (const Encoder& encoder : kEncoders) {
    SCOPED_TRACE(encoder.name);
    const Quality quality = measure(encoder.name, film, encoder.options);
    EXPECT_LT(quality.error, encoder.error);
    EXPECT_GT(quality.with_truth, encoder.correlation);
    EXPECT_GT(quality.with_farneback, encoder.correlation);
    EXPECT_GT(quality.covered, 0.9);
    // The films are such that flow can be found at all.
    EXPECT_LT(quality.farneback_error, 0.2);
    EXPECT_GT(quality.farneback_with_truth, 0.99);
  }
}

TEST(MotionVectorQuality, Pan) { expect_near_the_truth(pan()); }
TEST(MotionVectorQuality, MovingObject) { expect_near_the_truth(moving_object()); }
TEST(MotionVectorQuality, Cuts) { expect_near_the_truth(cuts()); }

TEST(ReadMotionTrajectory, FollowsTheCamera) {
  const test::TempFolder folder;
  const Film film = pan(75);
  write(film, folder / "a.mp4", {.key_frame_every = 20, .b_frames = 0});
  const auto found = read_motion_trajectory(folder / "a.mp4");
  ASSERT_EQ(found.seconds.size(), 9u);
  EXPECT_DOUBLE_EQ(found.seconds[4], 4 / 3.0);
  EXPECT_GT(found.covered, 0.8);
  size_t before = 0;
  for (size_t k = 1; k < 9; ++k) {
    const auto now = static_cast<size_t>(std::floor(static_cast<double>(k) * 25 / 3 + 1e-6));
    const Corner &a = film.scenes[before].camera, &b = film.scenes[now].camera;
    const double way = std::hypot(double(b.x - a.x), double(b.y - a.y)) / 16;
    EXPECT_NEAR(found.magnitudes[k], way, 0.1 * way) << k;  // key frames tell nothing
    before = now;
  }
  EXPECT_EQ(found.magnitudes[0], found.magnitudes[1]);
  // Half the size: half the way. Frames that are shown twice do not move.
  const auto small = read_motion_trajectory(folder / "a.mp4", {.height = 120, .width = 160});
  EXPECT_NEAR(small.magnitudes[3], found.magnitudes[3] / 2, 0.02 * found.magnitudes[3]);
  const auto often = read_motion_trajectory(folder / "a.mp4", {.fps = 50, .max_seconds = 1});
  ASSERT_EQ(often.magnitudes.size(), 50u);
  EXPECT_EQ(often.magnitudes[21], 0);
  EXPECT_GT(often.magnitudes[22], 0);
}

TEST(ReadMotionTrajectory, SaysWhatIsWrong) {
  const test::TempFolder folder;
  test::write_plain_film(folder / "a.avi", 8, {.encoder = "mjpeg", .pixel_format = "yuvj420p"});
  EXPECT_THAT([&] { read_motion_trajectory(folder / "a.avi"); },
              ThrowsMessage<MediaError>(AllOf(HasSubstr("no motion vectors in its video (mjpeg)"),
                                              HasSubstr("use farneback"))));
  EXPECT_THAT([&] { read_motion_trajectory(folder / "a.avi", {.fps = 0}); },
              ThrowsMessage<InvalidArgument>(HasSubstr("fps is 0")));
  EXPECT_THAT([&] { read_motion_trajectory(folder / "a.avi", {.max_seconds = -1}); },
              ThrowsMessage<InvalidArgument>(HasSubstr("max_seconds is -1")));
}

}  // namespace
}  // namespace vmr::pipeline
