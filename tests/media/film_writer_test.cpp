// Pins what films and previews hold after writing, and what happens to unfinished ones.
#include "vmr/media/film_writer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/films.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"
#include "vmr/media/decode.h"
#include "vmr/media/probe.h"

namespace vmr::media {
namespace {

using test::TempFolder;

TEST(FilmWriter, WhatIsWrittenCanBeReadBack) {
  TempFolder folder;
  FilmWriterOptions options{.width = 160, .height = 120, .crf = 0, .b_frames = 0};
  FilmWriter film(folder / "a.mp4", options);
  test::MovingSquare square;
  for (int i = 0; i < 25; ++i) film.add_frame(square.frame(i));
  at::Tensor sound = at::cat({test::tone(440, 1, 44100), test::tone(660, 1, 44100)});
  film.add_audio(sound.narrow(1, 0, 10000));
  film.add_audio(sound.narrow(1, 10000, 34100));
  film.finish();

  DecodePlan plan;
  plan.audio = AudioOptions{.rate_hz = 0, .channels = 0};
  plan.frame_jobs = {{}};
  const Decoded decoded = decode(folder / "a.mp4", plan);
  EXPECT_TRUE(decoded.problems.empty());
  ASSERT_EQ(decoded.frames[0].pixels.size(0), 25);
  for (const int i : {0, 13, 24}) {
    // Grey pictures: what is left is the rounding of two colour conversions.
    const at::Tensor error =
        (decoded.frames[0].pixels[i].to(at::kInt) - square.frame(i).to(at::kInt)).abs();
    EXPECT_LE(error.max().item<int>(), 3);
  }
  ASSERT_EQ(decoded.audio->samples.sizes(), (std::vector<int64_t>{2, 44100}));
  EXPECT_NEAR(test::fit_sine(decoded.audio->samples[0], 440, 44100).amplitude, 0.5, 0.01);
  EXPECT_NEAR(test::fit_sine(decoded.audio->samples[1], 660, 44100).amplitude, 0.5, 0.02);
  EXPECT_NEAR(test::fit_sine(decoded.audio->samples[1], 660, 44100).phase, 0, 0.02);
}

TEST(FilmWriter, EqualInputGivesEqualFiles) {
  TempFolder folder;
  for (const char* name : {"a.mp4", "b.mp4"}) {
    test::write_numbered_film(folder / name, 20, {.channels = 1});
  }
  std::string contents[2];
  for (int i = 0; i < 2; ++i) {
    FILE* file = fopen((folder / (i ? "b.mp4" : "a.mp4")).c_str(), "rb");
    for (int c; (c = fgetc(file)) != EOF;) contents[i].push_back(static_cast<char>(c));
    fclose(file);
  }
  EXPECT_GT(contents[0].size(), 1000u);
  EXPECT_EQ(contents[0], contents[1]);
}

TEST(FilmWriter, AnUnfinishedFilmLeavesNothing) {
  TempFolder folder;
  {
    FilmWriter film(folder / "a.mp4", {.width = 64, .height = 64});
    film.add_frame(at::zeros({64, 64, 3}, at::kByte));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  FilmWriter empty(folder / "a.mp4", {.width = 64, .height = 64});
  EXPECT_THROW(empty.finish(), MediaError);
}

TEST(FilmWriter, RefusesWrongFramesAndOptions) {
  TempFolder folder;
  EXPECT_THROW(FilmWriter(folder / "a.mp4", {.width = 63, .height = 64}), InvalidArgument);
  EXPECT_THROW(FilmWriter(folder / "a.mp4", {.width = 64, .height = 64, .fps = 0}),
               InvalidArgument);
  EXPECT_THROW(
      FilmWriter(folder / "a.mp4", {.width = 64, .height = 64, .preset = "no such preset"}),
      InvalidArgument);
  EXPECT_THROW(FilmWriter(folder / "missing" / "a.mp4", {.width = 64, .height = 64}), MediaError);
  FilmWriter film(folder / "a.mp4", {.width = 64, .height = 64, .channels = 1});
  EXPECT_THROW(film.add_frame(at::zeros({64, 62, 3}, at::kByte)), InvalidArgument);
  EXPECT_THROW(film.add_frame(at::zeros({64, 64, 3})), InvalidArgument);
  EXPECT_THROW(film.add_audio(at::zeros({2, 100})), InvalidArgument);
  film.add_frame(at::zeros({64, 64, 3}, at::kByte), 1.0);
  EXPECT_THROW(film.add_frame(at::zeros({64, 64, 3}, at::kByte), 1.0), InvalidArgument);
}

TEST(WriteAudio, AnUnknownExtensionIsTheCallersFault) {
  TempFolder folder;
  EXPECT_THROW(write_audio(folder / "a.xyz", {at::zeros({1, 10}), 16000, 0}), InvalidArgument);
  EXPECT_THROW(write_audio(folder / "a.wav", {at::zeros({10}), 16000, 0}), InvalidArgument);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(WritePreview, KeepsThePictureAndLaysTheMusicFromItsOffset) {
  TempFolder folder;
  test::write_numbered_film(folder / "film.mp4", 100, {.channels = 2});
  const auto track = test::click_track(75, 10, 44100, 0.3);
  write_audio(folder / "music.wav", {track.samples, 44100, 0});
  for (const double offset : {0.0, 2.5, -1.0, 8.0}) {
    SCOPED_TRACE(offset);
    write_preview(folder / "film.mp4", folder / "music.wav", folder / "out.mp4",
                  {.offset_seconds = offset, .fade_seconds = 0.1});
    const MediaInfo info = probe(folder / "out.mp4");
    EXPECT_TRUE(info.problems.empty());
    EXPECT_NEAR(info.duration_seconds, 4, 1e-6);
    const Frames frames = read_frames(folder / "out.mp4", {});
    EXPECT_TRUE(at::equal(frames.pixels, read_frames(folder / "film.mp4", {}).pixels));
    EXPECT_EQ(frames.shown_seconds, read_frames(folder / "film.mp4", {}).shown_seconds);
    const Audio sound = read_audio(folder / "out.mp4", {.rate_hz = 44100});
    EXPECT_EQ(sound.samples.size(1), 4 * 44100);
    std::vector<double> expected;
    for (const double click : track.seconds) {
      const double at = click - offset;
      if (at > (offset > 0 ? 0.1 : 0) && at < 3.9) expected.push_back(at);
    }
    std::vector<double> found;
    for (const double at : test::find_clicks(sound.samples, 44100, 0.3)) {
      if (at > (offset > 0 ? 0.1 : 0) && at < 3.9) found.push_back(at);
    }
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-3);
  }
}

TEST(WritePreview, FadesOutAtTheEndOfTheFilm) {
  TempFolder folder;
  test::write_numbered_film(folder / "film.mp4", 50, {.channels = 0, .rotation_degrees = 90});
  write_audio(folder / "music.flac", {test::tone(440, 10, 48000), 48000, 0});
  write_preview(folder / "film.mp4", folder / "music.flac", folder / "out.mp4",
                {.fade_seconds = 1});
  const Audio sound = read_audio(folder / "out.mp4", {.rate_hz = 0});
  EXPECT_EQ(sound.rate_hz, 48000);
  const auto level = [&](double from, double to) {
    const auto part =
        sound.samples[0].narrow(0, std::llround(from * 48000), std::llround((to - from) * 48000));
    return test::fit_sine(part, 440, 48000).amplitude;
  };
  EXPECT_NEAR(level(0.2, 0.8), 0.5, 0.01);
  EXPECT_NEAR(level(1.45, 1.55), 0.25, 0.01);
  EXPECT_NEAR(level(1.85, 1.95), 0.05, 0.01);
  EXPECT_EQ(probe(folder / "out.mp4").video->rotation_degrees, 90);
}

}  // namespace
}  // namespace vmr::media
