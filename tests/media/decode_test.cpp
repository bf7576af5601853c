// Pins that one pass equals separate reads, that skipping equals full decoding, and motion vectors.
#include "vmr/media/decode.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/films.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"

namespace vmr::media {
namespace {

using test::TempFolder;

void expect_equal(const Frames& a, const Frames& b) {
  EXPECT_EQ(a.requested_seconds, b.requested_seconds);
  EXPECT_EQ(a.shown_seconds, b.shown_seconds);
  EXPECT_EQ(a.until_seconds, b.until_seconds);
  EXPECT_TRUE(at::equal(a.pixels, b.pixels));
}

TEST(Decode, OnePassEqualsSeparateReads) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 80, {.channels = 2, .key_frame_every = 10});
  DecodePlan plan;
  plan.audio = AudioOptions{};
  plan.frame_jobs = {{.fps = 1},
                     {.fps = 3, .width = 64, .height = 32},
                     {.times_seconds = {2.9, 0.1}, .sampling = FrameSampling::nearest},
                     {.max_frames = 20}};
  const Decoded together = decode(folder / "a.mp4", plan);
  ASSERT_TRUE(together.audio);
  ASSERT_EQ(together.frames.size(), 4u);
  EXPECT_TRUE(together.problems.empty()) << together.problems.front();
  EXPECT_TRUE(at::equal(together.audio->samples, read_audio(folder / "a.mp4").samples));
  for (size_t j = 0; j < 4; ++j) {
    SCOPED_TRACE(j);
    expect_equal(together.frames[j], read_frames(folder / "a.mp4", plan.frame_jobs[j]));
  }
}

TEST(Decode, SkippingEqualsFullDecodingAndDecodesLess) {
  TempFolder folder;
  struct Case {
    const char* name;
    test::PlainFilm film;
    int64_t at_most;  // frames decoded of 150 for 1 frame a second
  };
  const Case cases[] = {
      {"short_groups.mp4", {.key_frame_every = 12}, 60},
      {"long_groups.mp4", {.key_frame_every = 250}, 100},
      {"pyramid.mkv", {.key_frame_every = 50, .settings = "x264-params=bframes=5:b-pyramid=2"}, 90},
      {"no_b.mp4", {.key_frame_every = 30, .settings = "bf=0"}, 110},
      {"transport.ts", {.key_frame_every = 12}, 60},
      {"open.mp4", {.settings = "x264-params=open-gop=1:keyint=12"}, 150},
      {"refresh.ts", {.settings = "x264-params=intra-refresh=1:keyint=12"}, 150},
      {"vp9.webm",
       {.encoder = "libvpx-vp9", .key_frame_every = 12, .settings = "deadline=realtime;cpu-used=8"},
       100},
      {"hevc.mp4",
       {.encoder = "libx265",
        .key_frame_every = 12,
        .settings = "preset=ultrafast;x265-params=log-level=none:open-gop=0:pools=1"},
       150},
      {"hevc_open.mp4",
       {.encoder = "libx265",
        .key_frame_every = 12,
        .settings = "preset=ultrafast;x265-params=log-level=none:pools=1"},
       150},
      {"mjpeg.avi", {.encoder = "mjpeg", .pixel_format = "yuvj420p"}, 150},
      {"mjpeg.mov", {.encoder = "mjpeg", .pixel_format = "yuvj420p"}, 8},
      {"mpeg4.mp4", {.encoder = "mpeg4", .settings = "bf=2"}, 150},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    test::write_plain_film(folder / one.name, 150, one.film);
    DecodePlan plan;
    plan.frame_jobs = {{.fps = 1},
                       {.times_seconds = {0.52, 5.99, 3.3, 3.34}},
                       {.fps = 0.7, .sampling = FrameSampling::nearest},
                       {.fps = 0.9, .sampling = FrameSampling::first_at_or_after}};
    const Decoded skipped = decode(folder / one.name, plan);
    plan.decode_all = true;
    const Decoded full = decode(folder / one.name, plan);
    EXPECT_EQ(full.frames_decoded, 150);
    for (size_t j = 0; j < plan.frame_jobs.size(); ++j) {
      SCOPED_TRACE(j);
      expect_equal(skipped.frames[j], full.frames[j]);
    }
    const double start = full.frames[0].shown_seconds[0];
    for (int64_t k = 0; k < full.frames[0].pixels.size(0); ++k) {
      const double shown = full.frames[0].shown_seconds[static_cast<size_t>(k)] - start;
      EXPECT_EQ(test::number_of(full.frames[0].pixels[k]), std::llround(shown * 25));
    }
    DecodePlan slow;
    slow.frame_jobs = {{.fps = 1}};
    const Decoded one_a_second = decode(folder / one.name, slow);
    EXPECT_LE(one_a_second.frames_decoded, one.at_most);
    EXPECT_EQ(one_a_second.frames[0].pixels.size(0), 6);
  }
}

TEST(Decode, SkippingThatMeetsDamageStartsOverAndSaysSoOnce) {
  TempFolder folder;
  test::write_numbered_film(folder / "whole.mp4", 150, {.channels = 0, .key_frame_every = 12});
  test::copy_film(folder / "whole.mp4", folder / "damaged.mkv",
                  {.spoil_video_from = 4.1, .spoil_video_to = 4.6});
  for (const bool damaged : {false, true}) {
    SCOPED_TRACE(damaged);
    int restarts = 0;
    std::vector<int64_t> seen;  // since decoding began
    DecodePlan plan;
    plan.frame_jobs = {{.fps = 3, .prepare = [&](const at::Tensor& rgb) {
                          seen.push_back(test::number_of(rgb));
                          return rgb.clone();
                        }}};
    plan.on_restart = [&] {
      ++restarts;
      EXPECT_GE(seen.size(), 10u);  // the groups before the damage
      seen.clear();
    };
    const auto path = folder / (damaged ? "damaged.mkv" : "whole.mp4");
    const Decoded skipped = decode(path, plan);
    EXPECT_EQ(restarts, damaged ? 1 : 0);
    EXPECT_EQ(skipped.problems.empty(), !damaged);
    ASSERT_EQ(seen.size(), 18u);
    for (size_t i = 0; i < seen.size(); ++i) {
      if (!damaged || i < 12) {
        EXPECT_EQ(seen[i], static_cast<int64_t>(i) * 25 / 3);
      }
    }
    plan.decode_all = true;
    const Decoded full = decode(path, plan);
    EXPECT_EQ(restarts, damaged ? 1 : 0);
    expect_equal(skipped.frames[0], full.frames[0]);
    EXPECT_EQ(skipped.problems, full.problems);
  }
}

TEST(Decode, SkippingKeepsVariableRateExact) {
  TempFolder folder;
  std::vector<double> times;
  double t = 0;
  for (int i = 0; i < 200; ++i) times.push_back(t += 0.01 + 0.013 * (i * 7 % 11));
  test::write_timed_film(folder / "a.mp4", times, {.channels = 1, .key_frame_every = 17});
  DecodePlan plan;
  plan.frame_jobs = {{.fps = 1.7}, {.fps = 0.6, .sampling = FrameSampling::nearest}};
  const Decoded skipped = decode(folder / "a.mp4", plan);
  plan.decode_all = true;
  const Decoded full = decode(folder / "a.mp4", plan);
  EXPECT_LT(skipped.frames_decoded, full.frames_decoded);
  for (size_t j = 0; j < 2; ++j) expect_equal(skipped.frames[j], full.frames[j]);
  for (int64_t k = 0; k < full.frames[0].pixels.size(0); ++k) {
    const int64_t number = test::number_of(full.frames[0].pixels[k]);
    const double asked = static_cast<double>(k) / 1.7;
    ASSERT_GE(number, 0);
    if (number > 0) {
      EXPECT_LE(times[size_t(number)], asked + 1e-4);
    }
    if (number + 1 < 200) {
      EXPECT_GT(times[size_t(number) + 1], asked);
    }
  }
}

TEST(Decode, ThreadsChangeNothing) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 80, {.channels = 0, .key_frame_every = 25});
  for (const double fps : {2.0, 25.0}) {
    DecodePlan plan;
    plan.frame_jobs = {{.fps = fps}};
    const Decoded one = decode(folder / "a.mp4", plan);
    plan.threads = 3;
    expect_equal(one.frames[0], decode(folder / "a.mp4", plan).frames[0]);
  }
}

TEST(Decode, MotionVectorsPointAlongTheMotion) {
  TempFolder folder;
  for (const int rotation : {0, 90}) {
    // The whole picture moves by (+4, -2) pixels a frame.
    FilmWriter film(
        folder / "a.mp4",
        {.width = 160, .height = 128, .channels = 0, .b_frames = 0, .rotation_degrees = rotation});
    test::MovingSquare ground{
        .width = 512, .height = 512, .side = 512, .x0 = 0, .y0 = 0, .dx = 0, .dy = 0};
    const at::Tensor picture = ground.frame(0);
    for (int i = 0; i < 12; ++i) {
      film.add_frame(picture.narrow(0, 100 + 2 * i, 128).narrow(1, 200 - 4 * i, 160).contiguous());
    }
    film.finish();
    DecodePlan plan;
    plan.motion_vectors = true;
    const Decoded decoded = decode(folder / "a.mp4", plan);
    ASSERT_EQ(decoded.motion.size(), 12u);
    EXPECT_TRUE(decoded.motion[0].vectors.empty());  // an intra frame
    EXPECT_DOUBLE_EQ(decoded.motion[3].seconds, 3 / 25.0);
    std::vector<float> dx, dy;
    for (const MotionVector& v : decoded.motion[8].vectors) {
      if (v.source != -1) continue;
      dx.push_back(v.dst_x - v.src_x);
      dy.push_back(v.dst_y - v.src_y);
      EXPECT_LE(v.dst_x, rotation ? 128 : 160);
    }
    ASSERT_GT(dx.size(), 10u);
    std::sort(dx.begin(), dx.end());
    std::sort(dy.begin(), dy.end());
    // Seen turned clockwise, right becomes down and up becomes right.
    const float mx = dx[dx.size() / 2], my = dy[dy.size() / 2];
    // x264 may refer back several frames: the direction and ratio are pinned, not the length.
    EXPECT_NEAR(rotation ? my : mx, 4, 0.3);
    EXPECT_NEAR(rotation ? mx : -my, 2, 0.3);
  }
}

struct Reference {
  double seconds, past, future;  // -1: none
};

void expect_references(const std::vector<MotionField>& motion,
                       const std::vector<Reference>& frames) {
  const auto expect = [](double found, double wanted) {
    if (wanted < 0) {
      EXPECT_TRUE(std::isnan(found)) << found;
    } else {
      EXPECT_NEAR(found, wanted / 25, 1e-9);
    }
  };
  ASSERT_GE(motion.size(), frames.size());
  for (size_t i = 0; i < frames.size(); ++i) {
    SCOPED_TRACE(i);
    expect(motion[i].seconds, frames[i].seconds);
    expect(motion[i].until_seconds, frames[i].seconds + 1);
    expect(motion[i].past_seconds, frames[i].past);
    expect(motion[i].future_seconds, frames[i].future);
  }
}

void expect_same_vectors(const std::vector<MotionField>& found,
                         const std::vector<MotionField>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    const auto &a = found[i].vectors, &b = expected[i].vectors;
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end(),
                           [](const MotionVector& left, const MotionVector& right) {
                             return left.src_x == right.src_x && left.src_y == right.src_y &&
                                    left.dst_x == right.dst_x && left.dst_y == right.dst_y &&
                                    left.width == right.width && left.source == right.source;
                           }))
        << i;
  }
}

TEST(Decode, MotionVectorsKnowTheFramesTheyReferTo) {
  TempFolder folder;
  DecodePlan plan;
  plan.motion_vectors = true;
  const std::string fixed = "x264-params=b-adapt=0:scenecut=0:keyint=50:";
  // I b B b P: the middle one is referred to by its neighbours.
  test::write_plain_film(folder / "pyramid.mp4", 9,
                         {.settings = fixed + "bframes=3:b-pyramid=normal"});
  expect_references(decode(folder / "pyramid.mp4", plan).motion,
                    {{0, -1, -1}, {1, 0, 2}, {2, 0, 4}, {3, 2, 4}, {4, 0, -1}, {5, 4, 6}});
  // I b b P, of H.264 and of MPEG-4, whose packets do not say what is referred to.
  const std::vector<Reference> flat = {{0, -1, -1}, {1, 0, 3}, {2, 0, 3}, {3, 0, -1}, {4, 3, 6}};
  test::write_plain_film(folder / "flat.mp4", 10, {.settings = fixed + "bframes=2:b-pyramid=none"});
  test::write_plain_film(folder / "mpeg4.mp4", 10, {.encoder = "mpeg4", .settings = "bf=2"});
  for (const char* name : {"flat.mp4", "mpeg4.mp4"}) {
    SCOPED_TRACE(name);
    const auto decoded = decode(folder / name, plan);
    expect_references(decoded.motion, flat);
    EXPECT_EQ(decoded.motion[1].width, 128);
    EXPECT_EQ(decoded.motion[1].height, 64);
    // With pixels the vectors are the same.
    DecodePlan both = plan;
    both.frame_jobs = {{}};
    expect_same_vectors(decode(folder / name, both).motion, decoded.motion);
  }
}

// FFmpeg's own threads, one a frame, hand vectors out that are still being written.
TEST(Decode, MotionVectorsDoNotDependOnThreads) {
  TempFolder folder;
  at::manual_seed(7);
  FilmWriter film(folder / "a.mp4", {.width = 640, .height = 480, .channels = 0, .b_frames = 3});
  const at::Tensor ground = at::randint(64, 192, {600, 760, 3}, at::kFloat);
  for (int i = 0; i < 40; ++i) {
    const at::Tensor seen = ground.narrow(0, 2 * i, 480).narrow(1, 3 * i, 640);
    film.add_frame((seen + 6 * at::randn({480, 640, 3})).clamp(0, 255).to(at::kByte));
  }
  film.finish();
  DecodePlan plan;
  plan.motion_vectors = true;
  const auto alone = decode(folder / "a.mp4", plan);
  ASSERT_EQ(alone.motion.size(), 40u);
  plan.threads = 16;
  for (int turn = 0; turn < 3; ++turn) {
    expect_same_vectors(decode(folder / "a.mp4", plan).motion, alone.motion);
  }
}

TEST(Decode, HandsMotionOnUntilItIsEnough) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 60);
  DecodePlan plan;
  plan.motion_vectors = true;
  std::vector<double> seconds;
  plan.on_motion = [&](const MotionField& field) {
    seconds.push_back(field.seconds);
    return seconds.size() < 5;
  };
  const auto decoded = decode(folder / "a.mp4", plan);
  EXPECT_EQ(seconds.size(), 5u);
  EXPECT_DOUBLE_EQ(seconds.back(), 4 / 25.0);
  EXPECT_TRUE(decoded.motion.empty());
  EXPECT_LT(decoded.frames_decoded, 30);
}

TEST(Decode, StopsOnRequest) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 60);
  std::stop_source source;
  DecodePlan plan;
  plan.frame_jobs = {{.prepare = [&](const at::Tensor& rgb) {
    source.request_stop();
    return rgb;
  }}};
  try {
    decode(folder / "a.mp4", plan, source.get_token());
    FAIL() << "was not stopped";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("stopped on request"), std::string::npos);
  }
}

TEST(Decode, RefusesAPlanThatAsksForNothing) {
  EXPECT_THROW(decode("any.mp4", {}), InvalidArgument);
}

}  // namespace
}  // namespace vmr::media
