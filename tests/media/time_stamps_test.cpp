// Pins what broken time stamps can do: a frame that lies about its time is left out alone, a clock
// that starts anew is continued, holes in the sound cannot fill the memory; real pauses stay.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/films.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/media/decode.h"

namespace vmr::media {
namespace {

using test::TempFolder;
using testing::HasSubstr;

std::vector<int64_t> numbers(const Frames& frames) {
  std::vector<int64_t> result;
  for (int64_t i = 0; i < frames.pixels.size(0); ++i) {
    result.push_back(test::number_of(frames.pixels[i]));
  }
  return result;
}

TEST(TimeStamps, OneFrameFarAheadIsLeftOutAlone) {
  TempFolder folder;
  for (const int b_frames : {0, 2}) {
    test::write_numbered_film(folder / "a.mp4", 100,
                              {.channels = 0, .key_frame_every = 25, .b_frames = b_frames});
    for (const char* name : {"b.mkv", "b.ts"}) {
      for (const int64_t wrong : {20, 90}) {
        SCOPED_TRACE(testing::Message() << name << " " << b_frames << " " << wrong);
        test::copy_film(folder / "a.mp4", folder / name, {.retime = [&](bool, double seconds) {
                          return std::llround(seconds * 25) == wrong ? seconds + 3000 : seconds;
                        }});
        DecodePlan plan;
        plan.frame_jobs = {{}};
        const Decoded every = decode(folder / name, plan);
        std::vector<int64_t> expected;
        for (int64_t i = 0; i < 100; ++i) {
          if (i != wrong) expected.push_back(i);
        }
        EXPECT_EQ(numbers(every.frames[0]), expected);
        EXPECT_NEAR(every.frames[0].shown_seconds.back() - every.frames[0].shown_seconds[0], 3.96,
                    2e-3);
        EXPECT_THAT(every.problems, testing::Contains(HasSubstr("1 frames left out")));
        plan.frame_jobs = {{.fps = 2}};
        const Decoded grid = decode(folder / name, plan);
        ASSERT_EQ(grid.frames[0].pixels.size(0), 8);
        for (int64_t k = 0; k < 8; ++k) {
          // What is shown at k / 2 s is the last whole frame before.
          const double shown = grid.frames[0].shown_seconds[size_t(k)];
          EXPECT_LE(shown, k * 0.5 + 1e-3);
          EXPECT_GE(shown, k * 0.5 - 0.081);
          EXPECT_EQ(test::number_of(grid.frames[0].pixels[k]), std::llround(shown * 25));
        }
      }
    }
  }
}

TEST(TimeStamps, ARealPauseStays) {
  TempFolder folder;
  std::vector<double> times;
  for (int i = 0; i < 60; ++i) times.push_back(i * 0.04 + (i < 30 ? 0 : 40));
  test::write_timed_film(folder / "a.mp4", times, {.channels = 0, .key_frame_every = 12});
  DecodePlan plan;
  plan.frame_jobs = {{.fps = 0.5}};
  for (const bool all : {false, true}) {
    plan.decode_all = all;
    const Decoded decoded = decode(folder / "a.mp4", plan);
    EXPECT_TRUE(decoded.problems.empty());
    // Frame 29 is shown from 1.16 s to 41.2 s, the film ends at 42.4 s.
    std::vector<int64_t> expected(22, 29);
    expected.front() = 0;
    expected.back() = 50;
    EXPECT_EQ(numbers(decoded.frames[0]), expected);
  }
  // The last frame alone after a pause.
  test::write_timed_film(folder / "b.mp4", {0, 0.04, 0.08, 30}, {.channels = 0});
  const Frames frames = read_frames(folder / "b.mp4", {});
  EXPECT_EQ(numbers(frames), (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_NEAR(frames.shown_seconds[3], 30, 1e-3);
}

TEST(TimeStamps, AClockThatStartsAnewIsContinuedForPictureAndSound) {
  TempFolder folder;
  const auto track = test::click_track(120, 4, 48000);  // at 0.25, 0.75, ... 3.75 s
  FilmWriter film(folder / "a.mp4", {.width = 128, .height = 64, .rate_hz = 48000, .channels = 1});
  for (int64_t i = 0; i < 100; ++i) film.add_frame(test::numbered_frame(i));
  film.add_audio(track.samples);
  film.finish();
  // The second part starts where the first did, 3 s before it, and so early that it looks like the
  // clock's 26 hours have passed.
  for (const double first : {1.0, 4.0, 200.0}) {
    SCOPED_TRACE(first);
    test::copy_film(folder / "a.mp4", folder / "a.ts", {.shift_seconds = first});
    test::copy_film(folder / "a.mp4", folder / "b.ts", {.shift_seconds = 1});
    test::join_files(folder / "a.ts", folder / "b.ts", folder / "c.ts");
    DecodePlan plan;
    plan.audio = AudioOptions{};
    plan.frame_jobs = {{}};
    const Decoded decoded = decode(folder / "c.ts", plan);
    EXPECT_THAT(decoded.problems,
                testing::Contains(testing::AllOf(HasSubstr("picture's time stamps jump"),
                                                 HasSubstr("taken as continuous"))));
    EXPECT_THAT(decoded.problems, testing::Contains(testing::AllOf(
                                      HasSubstr("sound"), HasSubstr("taken as continuous"))));
    // Two frames pass until it is certain that it is the clock.
    std::vector<int64_t> expected;
    for (int64_t i = 0; i < 200; ++i) {
      if (i != 100 && i != 101) expected.push_back(i % 100);
    }
    const Frames& frames = decoded.frames[0];
    EXPECT_EQ(numbers(frames), expected);
    const double start = frames.shown_seconds[0];
    EXPECT_NEAR(frames.shown_seconds[99] - start, 3.96, 2e-3);
    EXPECT_NEAR(frames.shown_seconds[100] - start, 4.08, 2e-3);
    EXPECT_NEAR(frames.shown_seconds[197] - start, 7.96, 2e-3);
    const auto clicks = test::find_clicks(decoded.audio->samples, 16000, 0.3);
    ASSERT_EQ(clicks.size(), 2 * track.seconds.size());
    for (size_t i = 0; i < clicks.size(); ++i) {
      // Beside the picture of their time; AAC's padding at the joint is below 50 ms.
      const double second = i < track.seconds.size() ? 0 : 4;
      EXPECT_NEAR(clicks[i], start + second + track.seconds[i % track.seconds.size()],
                  second > 0 ? 0.05 : 2e-3);
    }
  }
}

TEST(TimeStamps, ManyHolesInTheSoundStayBelowAnHourOfSilence) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 50, {.rate_hz = 8000, .channels = 1});
  // AAC packets of 0.128 s, stamped 599 s apart: 2.6 hours if they were believed.
  test::copy_film(folder / "a.mp4", folder / "b.mkv",
                  {.video = false, .retime = [](bool, double seconds) {
                     return 599 * std::round(seconds / 0.128);
                   }});
  DecodePlan plan;
  plan.audio = AudioOptions{.rate_hz = 1000};
  const Decoded decoded = decode(folder / "b.mkv", plan);
  const auto seconds = static_cast<double>(decoded.audio->samples.size(1)) / 1000;
  EXPECT_GT(seconds, 5 * 599);  // holes up to ten minutes are believed, up to an hour in all
  EXPECT_LT(seconds, 3600 + 2.5);
  EXPECT_THAT(decoded.problems, testing::Contains(HasSubstr("over an hour in all")));
}

}  // namespace
}  // namespace vmr::media
