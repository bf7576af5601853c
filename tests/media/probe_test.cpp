// Pins what probe says about films and sounds of known make.
#include "vmr/media/probe.h"

#include <gtest/gtest.h>

#include "support/films.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"

namespace vmr::media {
namespace {

using test::TempFolder;

TEST(Probe, CountsFramesAndTimesOfAFilmWithBFrames) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 100, {.rate_hz = 48000, .key_frame_every = 20});
  const MediaInfo info = probe(folder / "a.mp4");
  ASSERT_TRUE(info.video && info.audio);
  EXPECT_TRUE(info.problems.empty()) << info.problems.front();
  EXPECT_EQ(info.video->codec, "h264");
  EXPECT_EQ(info.video->frames, 100);
  EXPECT_EQ(info.video->width, 128);
  EXPECT_EQ(info.video->height, 64);
  EXPECT_NEAR(info.video->fps, 25, 1e-9);
  EXPECT_FALSE(info.video->variable_rate);
  EXPECT_EQ(info.video->start_seconds, 0);
  EXPECT_NEAR(info.video->duration_seconds, 4, 1e-9);
  EXPECT_NEAR(info.duration_seconds, 4, 1e-9);
  ASSERT_EQ(info.video->frame_seconds.size(), 100u);
  for (size_t i = 0; i < 100; ++i) EXPECT_DOUBLE_EQ(info.video->frame_seconds[i], i / 25.0);
  EXPECT_EQ(info.video->key_frame_seconds, (std::vector<double>{0, 0.8, 1.6, 2.4, 3.2}));
  EXPECT_EQ(info.audio->codec, "aac");
  EXPECT_EQ(info.audio->rate_hz, 48000);
  EXPECT_EQ(info.audio->channels, 2);
  EXPECT_EQ(info.audio->start_seconds, 0);
  EXPECT_NEAR(info.audio->duration_seconds, 4, 1e-9);
}

TEST(Probe, FractionalRatesStayExact) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 48, {.fps = 24000.0 / 1001, .channels = 0});
  const MediaInfo info = probe(folder / "a.mp4");
  for (size_t i = 0; i < 48; ++i) {
    EXPECT_DOUBLE_EQ(info.video->frame_seconds[i], static_cast<double>(i) * 1001 / 24000);
  }
  EXPECT_NEAR(info.video->fps, 24000.0 / 1001, 1e-9);
}

TEST(Probe, SeesVariableRateAndRotation) {
  TempFolder folder;
  const std::vector<double> times{0, 0.04, 0.5, 0.54, 0.58, 1.7};
  test::write_timed_film(folder / "vfr.mp4", times, {.channels = 0, .rotation_degrees = 90});
  const MediaInfo info = probe(folder / "vfr.mp4");
  EXPECT_TRUE(info.video->variable_rate);
  EXPECT_EQ(info.video->rotation_degrees, 90);
  EXPECT_EQ(info.video->width, 64);
  EXPECT_EQ(info.video->height, 128);
  ASSERT_EQ(info.video->frame_seconds.size(), times.size());
  for (size_t i = 0; i < times.size(); ++i) {
    EXPECT_NEAR(info.video->frame_seconds[i], times[i], 1e-5);
  }
}

TEST(Probe, TheClockBeginsWithTheFileWhateverTheContainerSays) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 50, {.channels = 1});
  test::copy_film(folder / "a.mp4", folder / "b.ts", {.shift_seconds = 7});
  test::copy_film(folder / "a.mp4", folder / "c.mkv", {.shift_seconds = 3, .sound = false});
  for (const char* name : {"b.ts", "c.mkv"}) {
    const MediaInfo info = probe(folder / name);
    ASSERT_TRUE(info.video) << name;
    EXPECT_EQ(info.video->frames, 50) << name;
    EXPECT_NEAR(info.video->start_seconds, 0, 0.03) << name;  // AAC priming comes first in TS
    EXPECT_NEAR(info.video->duration_seconds, 2, 2e-3) << name;
    EXPECT_NEAR(info.video->frame_seconds[10] - info.video->frame_seconds[0], 0.4, 2e-3) << name;
  }
}

TEST(Probe, ALateVideoStreamKeepsItsPlaceOnTheClock) {
  TempFolder folder;
  test::write_timed_film(folder / "late.mp4", {0.5, 0.54, 0.58, 0.62}, {.channels = 1});
  const MediaInfo info = probe(folder / "late.mp4");
  EXPECT_NEAR(info.audio->start_seconds, 0, 1e-9);
  EXPECT_NEAR(info.video->start_seconds, 0.5, 1e-5);
  EXPECT_NEAR(info.duration_seconds, 0.66, 1e-4);
}

TEST(Probe, AFrameRateIsThatOfTheFramesNotTheirAverage) {
  TempFolder folder;
  std::vector<double> times{0};  // as after a cut in front of a key frame
  for (int i = 0; i < 50; ++i) times.push_back(0.1 + i / 25.0);
  for (const char* name : {"cut.mp4", "cut.mkv"}) {
    test::write_timed_film(folder / "cut.mp4", times, {.channels = 0});
    if (name == std::string("cut.mkv")) test::copy_film(folder / "cut.mp4", folder / name);
    const auto video = *probe(folder / name).video;
    EXPECT_NEAR(video.frame_rate, 25, 1e-3) << name;
    EXPECT_LT(video.fps, 24.9) << name;
  }
  // Milliseconds cannot hold the frames of 24000/1001.
  test::write_numbered_film(folder / "a.mp4", 48, {.fps = 24000.0 / 1001, .channels = 0});
  test::copy_film(folder / "a.mp4", folder / "a.mkv");
  EXPECT_NEAR(probe(folder / "a.mkv").video->frame_rate, 24000.0 / 1001, 2e-4 * 24);
}

TEST(Probe, SoundFilesHaveExactLengths) {
  TempFolder folder;
  for (const char* extension : {".wav", ".flac", ".m4a", ".ogg", ".mp3"}) {
    const auto path = folder / (std::string("tone") + extension);
    write_audio(path, {test::tone(440, 1.5, 44100), 44100, 0});
    const MediaInfo info = probe(path);
    ASSERT_TRUE(info.audio) << extension;
    EXPECT_FALSE(info.video) << extension;
    EXPECT_EQ(info.audio->start_seconds, 0) << extension;
    EXPECT_NEAR(info.duration_seconds, 1.5, extension == std::string(".mp3") ? 0.03 : 1e-4)
        << extension;
  }
}

TEST(Probe, WithoutScanItTrustsTheHeader) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 30);
  const MediaInfo info = probe(folder / "a.mp4", {.scan = false});
  EXPECT_EQ(info.video->frames, 30);
  EXPECT_TRUE(info.video->frame_seconds.empty());
  EXPECT_NEAR(info.duration_seconds, 1.2, 1e-3);
}

}  // namespace
}  // namespace vmr::media
