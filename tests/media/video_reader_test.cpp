// Pins that the right frames arrive, with the right times, colours, size and orientation.
#include "vmr/media/video_reader.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "support/films.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"
#include "vmr/media/decode.h"

namespace vmr::media {
namespace {

using test::TempFolder;

std::vector<int64_t> numbers(const Frames& frames) {
  std::vector<int64_t> result;
  for (int64_t i = 0; i < frames.pixels.size(0); ++i) {
    result.push_back(test::number_of(frames.pixels[i]));
  }
  return result;
}

std::vector<int64_t> range(int64_t count, int64_t step = 1) {
  std::vector<int64_t> result;
  for (int64_t i = 0; i < count; ++i) result.push_back(i * step);
  return result;
}

TEST(VideoReader, EveryFrameOnceInOrder) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 60);
  const Frames frames = read_frames(folder / "a.mp4", {});
  EXPECT_EQ(frames.pixels.sizes(), (std::vector<int64_t>{60, 64, 128, 3}));
  EXPECT_EQ(frames.pixels.scalar_type(), at::kByte);
  EXPECT_EQ(numbers(frames), range(60));
  for (size_t i = 0; i < 60; ++i) {
    EXPECT_DOUBLE_EQ(frames.shown_seconds[i], i / 25.0);
    EXPECT_DOUBLE_EQ(frames.until_seconds[i], (i + 1) / 25.0);
  }
}

TEST(VideoReader, AGridAtTheFilmsOwnRateTakesEachFrameOnce) {
  TempFolder folder;
  const double fps = 30000.0 / 1001;
  test::write_numbered_film(folder / "a.mp4", 90, {.fps = fps, .channels = 0});
  test::copy_film(folder / "a.mp4", folder / "a.mkv");
  for (const char* name : {"a.mp4", "a.mkv"}) {
    EXPECT_EQ(numbers(read_frames(folder / name, {.fps = fps})), range(90)) << name;
  }
}

TEST(VideoReader, OneFrameASecond) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 130);
  const Frames frames = read_frames(folder / "a.mp4", {.fps = 1});
  EXPECT_EQ(numbers(frames), range(6, 25));
  EXPECT_EQ(frames.requested_seconds, (std::vector<double>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(numbers(read_frames(folder / "a.mp4", {.fps = 1, .max_frames = 3})), range(3, 25));
  EXPECT_EQ(numbers(read_frames(folder / "a.mp4", {.fps = 1, .max_seconds = 2})), range(2, 25));
}

TEST(VideoReader, VariableRateIsReadByTimeAndNotByCount) {
  TempFolder folder;
  test::write_timed_film(folder / "a.mp4", {0, 0.04, 0.08, 1.5, 1.54, 3.0, 3.04});
  const Frames frames = read_frames(folder / "a.mp4", {.fps = 2});
  EXPECT_EQ(numbers(frames), (std::vector<int64_t>{0, 2, 2, 3, 4, 4, 5}));
  EXPECT_NEAR(frames.shown_seconds[2], 0.08, 1e-5);
  EXPECT_NEAR(frames.until_seconds[2], 1.5, 1e-5);
  EXPECT_EQ(numbers(read_frames(folder / "a.mp4",
                                {.times_seconds = {2.5, 0.5}, .sampling = FrameSampling::nearest})),
            (std::vector<int64_t>{5, 2}));
  EXPECT_EQ(numbers(read_frames(folder / "a.mp4", {.times_seconds = {0.05, 1, 2},
                                                   .sampling = FrameSampling::first_at_or_after})),
            (std::vector<int64_t>{2, 3, 5}));
}

TEST(VideoReader, ALateStartShowsTheFirstFrameBeforeIt) {
  TempFolder folder;
  std::vector<double> times;
  for (int i = 0; i < 30; ++i) times.push_back(0.5 + i * 0.04);
  test::write_timed_film(folder / "a.mp4", times, {.channels = 1});
  const Frames frames = read_frames(folder / "a.mp4", {.fps = 4});
  EXPECT_EQ(numbers(frames), (std::vector<int64_t>{0, 0, 0, 6, 12, 18, 25}));
  EXPECT_NEAR(frames.shown_seconds[0], 0.5, 1e-5);
}

TEST(VideoReader, OtherContainersAndShiftedClocksGiveTheSameFrames) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 50);
  for (const char* name : {"b.ts", "b.mkv", "b.mov", "b.h264"}) {
    const bool timed = std::string(name) != "b.h264";
    test::copy_film(folder / "a.mp4", folder / name, {.shift_seconds = timed ? 5.0 : 0.0});
    const Frames frames = read_frames(folder / name, {});
    EXPECT_EQ(numbers(frames), range(50)) << name;
    EXPECT_NEAR(frames.shown_seconds[25], 1.0, timed ? 1e-3 : 0.1) << name;
  }
}

TEST(VideoReader, AnEditListHidesWhatAPlayerHides) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 75, {.channels = 0, .key_frame_every = 25});
  // Times below zero end up before the edit list's start: decoded for reference, never shown.
  test::copy_film(folder / "a.mp4", folder / "b.mp4", {.shift_seconds = -0.68});
  const Frames all = read_frames(folder / "b.mp4", {});
  ASSERT_EQ(all.pixels.size(0), 58);
  EXPECT_EQ(test::number_of(all.pixels[0]), 17);
  EXPECT_EQ(all.shown_seconds[0], 0);
  EXPECT_EQ(numbers(read_frames(folder / "b.mp4", {.fps = 1})), (std::vector<int64_t>{17, 42, 67}));
}

TEST(VideoReader, AChangeOfSizeInsideAFileKeepsTheFirstSize) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 50);
  test::write_numbered_film(folder / "b.mp4", 50, {.width = 192, .height = 96, .channels = 0});
  test::copy_film(folder / "a.mp4", folder / "a.ts", {.shift_seconds = 1});
  test::copy_film(folder / "b.mp4", folder / "b.ts", {.shift_seconds = 3});
  test::join_files(folder / "a.ts", folder / "b.ts", folder / "c.ts");
  for (const double fps : {25.0, 2.0}) {
    const Frames frames = read_frames(folder / "c.ts", {.fps = fps});
    ASSERT_EQ(frames.pixels.sizes(), (std::vector<int64_t>{std::llround(4 * fps), 64, 128, 3}));
    for (int64_t k = 0; k < frames.pixels.size(0); ++k) {
      EXPECT_EQ(test::number_of(frames.pixels[k]), static_cast<int64_t>(k * 25 / fps) % 50);
    }
  }
}

TEST(VideoReader, PicturesAreTurnedAsAPlayerDoes) {
  TempFolder folder;
  // Corners of the stored picture: red top left, green top right, blue bottom left.
  const auto colour = [](const at::Tensor& picture, int64_t y, int64_t x) {
    const auto pixel = picture.narrow(0, y < 0 ? picture.size(0) - 5 : 3, 2)
                           .narrow(1, x < 0 ? picture.size(1) - 5 : 3, 2)
                           .to(at::kFloat)
                           .mean(at::IntArrayRef{0, 1});
    const float r = pixel[0].item<float>(), g = pixel[1].item<float>(), b = pixel[2].item<float>();
    return r > 180 && g < 90 && b < 90 ? 'r'
           : g > 180 && r < 90         ? 'g'
           : b > 180 && r < 90         ? 'b'
                                       : '-';
  };
  // Top left, top right, bottom right, bottom left of the picture shown.
  const std::pair<int, std::string> expected[] = {
      {0, "rg-b"}, {90, "brg-"}, {180, "-brg"}, {270, "g-br"}};
  for (const auto& [degrees, corners] : expected) {
    test::write_numbered_film(folder / "a.mp4", 3,
                              {.channels = 0, .crf = 10, .rotation_degrees = degrees});
    const at::Tensor picture = read_frames(folder / "a.mp4", {.max_frames = 1}).pixels[0];
    EXPECT_EQ(picture.size(0), degrees % 180 == 0 ? 64 : 128);
    const std::string found{colour(picture, 0, 0), colour(picture, 0, -1), colour(picture, -1, -1),
                            colour(picture, -1, 0)};
    EXPECT_EQ(found, corners) << degrees;
    const at::Tensor small =
        read_frames(folder / "a.mp4", {.max_frames = 1, .width = 40, .height = 60}).pixels[0];
    EXPECT_EQ(small.sizes(), (std::vector<int64_t>{60, 40, 3}));
    const at::Tensor upright = at::rot90(picture, degrees / 90).contiguous();
    EXPECT_EQ(test::number_of(upright), 0) << degrees;
  }
}

TEST(VideoReader, ColoursSurviveEveryMatrixRangeAndDepth) {
  TempFolder folder;
  struct Case {
    test::PlainFilm film;
    const char* name;
  };
  const Case cases[] = {
      {{.pixel_format = "yuv420p10le"}, "ten_bit.mp4"},
      {{.encoder = "mjpeg", .pixel_format = "yuvj420p"}, "full_range.avi"},
      {{.pixel_format = "yuvj420p"}, "full_range.mp4"},
      {{.pixel_format = "yuv444p", .width = 131, .height = 67}, "odd.mp4"},
      {{.encoder = "ffv1", .pixel_format = "yuv420p", .width = 131, .height = 67}, "odd.mkv"},
      {{.encoder = "mpeg4"}, "old.avi"},
      {{.encoder = "png", .pixel_format = "rgb24", .width = 99, .height = 49}, "rgb.mov"},
      {{.encoder = "mpeg2video"}, "old.ts"},
      {{.encoder = "libvpx-vp9", .settings = "deadline=realtime;cpu-used=8"}, "free.webm"},
  };
  for (const Case& one : cases) {
    test::write_plain_film(folder / one.name, 14, one.film);
    const Frames frames = read_frames(folder / one.name, {});
    EXPECT_EQ(numbers(frames), range(14)) << one.name;
    const at::Tensor wanted =
        test::numbered_frame(7, one.film.width, one.film.height).to(at::kFloat);
    const at::Tensor error = (frames.pixels[7].to(at::kFloat) - wanted);
    // A wrong range moves black and white by 16 levels, a swapped channel by 100.
    EXPECT_LT(error.abs().mean().item<float>(), 6) << one.name;
    EXPECT_LT(std::abs(error.mean().item<float>()), 2) << one.name;
  }
}

// A grey picture [height, width, 3] of value(x, y), rounded.
at::Tensor grey_picture(int width, int height, const std::function<double(int, int)>& value) {
  at::Tensor picture = at::empty({height, width, 3}, at::kByte);
  auto* to = picture.mutable_data_ptr<uint8_t>();
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x, to += 3) {
      std::fill(to, to + 3, static_cast<uint8_t>(std::lround(value(x, y))));
    }
  }
  return picture;
}

void expect_within_a_level(const at::Tensor& picture,
                           const std::function<double(int64_t, int64_t)>& expected) {
  double worst = 0;
  for (int64_t y = 0; y < picture.size(0); ++y) {
    for (int64_t x = 0; x < picture.size(1); ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        const auto found = static_cast<double>(picture[y][x][c].item<uint8_t>());
        worst = std::max(worst, std::abs(found - expected(x, y)));
      }
    }
  }
  EXPECT_LE(worst, 1);
}

TEST(VideoReader, ResizesBilinearly) {
  TempFolder folder;
  // A ramp stays the ramp, taken at the new pixels' centres.
  const auto ramp = [](double x, double y) { return 20 + 0.75 * x + 0.9 * y; };
  test::write_still_film(folder / "ramp.mp4", grey_picture(128, 96, ramp), {.full_range = true});
  const at::Tensor half =
      read_frames(folder / "ramp.mp4", {.max_frames = 1, .width = 64, .height = 48}).pixels[0];
  ASSERT_EQ(half.sizes(), (std::vector<int64_t>{48, 64, 3}));
  // The outermost pixels reach over the edge, where the ramp is not continued.
  expect_within_a_level(half.narrow(0, 1, 46).narrow(1, 1, 62), [&](int64_t x, int64_t y) {
    return ramp(2 * static_cast<double>(x + 1) + 0.5, 2 * static_cast<double>(y + 1) + 0.5);
  });
  // An edge seen through a lens of 2: the pixels beside it lie at 1/4 and 3/4 of the way over it.
  const auto edge = [](int x, int) { return x < 64 ? 60 : 180; };
  test::write_still_film(folder / "edge.mp4", grey_picture(128, 64, edge), {.full_range = true});
  const at::Tensor twice =
      read_frames(folder / "edge.mp4", {.max_frames = 1, .width = 256, .height = 128}).pixels[0];
  expect_within_a_level(twice, [](int64_t x, int64_t) {
    return x < 127 ? 60.0 : x == 127 ? 90.0 : x == 128 ? 150.0 : 180.0;
  });
}

TEST(VideoReader, PrepareSeesEachTakenFrameOnce) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 50);
  int calls = 0;
  const Frames frames = read_frames(
      folder / "a.mp4", {.times_seconds = {1, 0, 1.01, 0.5}, .prepare = [&](const at::Tensor& rgb) {
                           ++calls;
                           return at::full({2}, test::number_of(rgb), at::kFloat);
                         }});
  EXPECT_EQ(calls, 3);  // 1 and 1.01 show the same frame
  EXPECT_TRUE(at::equal(frames.pixels.select(1, 0), at::tensor({25.f, 0.f, 25.f, 12.f})));
  EXPECT_THROW(
      read_frames(
          folder / "a.mp4",
          {.fps = 5, .prepare = [&](const at::Tensor& rgb) { return at::zeros({++calls}); }}),
      InvalidArgument);
}

}  // namespace
}  // namespace vmr::media
