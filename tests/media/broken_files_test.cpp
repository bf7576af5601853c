// Pins how wrong, cut and damaged files are met: a typed error that names the file and says what to
// do, or what can be decoded together with a sentence about the damage; never a crash or a hang.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "support/films.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"
#include "vmr/media/decode.h"
#include "vmr/media/probe.h"

namespace vmr::media {
namespace {

using test::TempFolder;
using ::testing::HasSubstr;

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const MediaError& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("wrong type: ") + error.what();
  }
  return "no error";
}

void expect_refused(const std::filesystem::path& path, const std::string& reason) {
  for (const auto& body : std::vector<std::function<void()>>{
           [&] { probe(path); }, [&] { read_audio(path); }, [&] { read_frames(path, {}); }}) {
    const std::string message = message_of(body);
    EXPECT_THAT(message, HasSubstr(path.string()));
    EXPECT_THAT(message, HasSubstr(reason));
  }
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(BrokenFiles, WhatIsNoMediaFileIsRefused) {
  TempFolder folder;
  expect_refused(folder / "missing.mp4", "No such file");
  expect_refused(folder.path(), "is a folder");
  write_text(folder / "empty.mp4", "");
  expect_refused(folder / "empty.mp4", "is empty");
  write_text(folder / "text.mp4", "Dear reader,\nthis is no film.\n");
  expect_refused(folder / "text.mp4", "");
  write_text(folder / "text.txt", std::string(100000, 'a'));
  expect_refused(folder / "text.txt", "");
  ASSERT_EQ(mkfifo((folder / "pipe.mp4").c_str(), 0600), 0);
  expect_refused(folder / "pipe.mp4", "not a regular file");
  // A playlist must not make us open what it names.
  test::write_numbered_film(folder / "a.mp4", 5);
  write_text(folder / "list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://" +
                                       (folder / "a.mp4").string() + "\n#EXT-X-ENDLIST\n");
  expect_refused(folder / "list.m3u8", "");
  write_text(folder / "list.ffconcat", "ffconcat version 1.0\nfile a.mp4\n");
  expect_refused(folder / "list.ffconcat", "");
}

TEST(BrokenFiles, WhatMayNotBeReadIsRefused) {
  TempFolder folder;
  const auto film = folder / "film.mp4";
  test::write_numbered_film(film, 5);
  std::filesystem::permissions(film, std::filesystem::perms::none);
  if (geteuid() != 0) {
    expect_refused(film, "Permission denied");
  } else {  // root may read it all the same: ask as nobody
    chmod(folder.path().c_str(), 0755);
    const pid_t child = fork();
    if (child == 0) {
      if (seteuid(65534) != 0) _exit(2);
      expect_refused(film, "Permission denied");
      _exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  write_text(folder / "file", "x");
  expect_refused(folder / "file" / "film.mp4", "Not a directory");
}

TEST(BrokenFiles, ASoundFileWithoutSamplesIsNamedAsSuch) {
  TempFolder folder;
  write_audio(folder / "none.wav", {at::zeros({1, 0}, at::kFloat), 16000, 0});
  ASSERT_GT(std::filesystem::file_size(folder / "none.wav"), 40u);  // a header and nothing else
  EXPECT_THAT(message_of([&] { read_audio(folder / "none.wav"); }),
              testing::AllOf(HasSubstr("none.wav"), HasSubstr("holds no sound")));
  const MediaInfo info = probe(folder / "none.wav");
  ASSERT_TRUE(info.audio);
  EXPECT_EQ(info.duration_seconds, 0);
  EXPECT_THAT(info.problems, testing::Contains(HasSubstr("holds no sound")));
}

TEST(BrokenFiles, NothingIsPrinted) {
  TempFolder folder;
  testing::internal::CaptureStderr();
  write_text(folder / "text.mp4", std::string(5000, 'x'));
  message_of([&] { probe(folder / "text.mp4"); });
  test::write_numbered_film(folder / "a.mp4", 100, {.channels = 1});
  const auto size = static_cast<int64_t>(std::filesystem::file_size(folder / "a.mp4"));
  test::cut_file(folder / "a.mp4", folder / "cut.mp4", size / 2);
  DecodePlan plan;
  plan.audio = AudioOptions{};
  plan.frame_jobs = {{}};
  for (const int threads : {1, 2}) {
    plan.threads = threads;
    decode(folder / "cut.mp4", plan);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(BrokenFiles, AskingForAMissingStreamSaysWhatThereIs) {
  TempFolder folder;
  test::write_numbered_film(folder / "film.mp4", 5);
  EXPECT_THAT(message_of([&] { read_audio(folder / "film.mp4"); }), HasSubstr("only video"));
  write_audio(folder / "song.mp3", {test::tone(440, 1, 44100), 44100, 0});
  EXPECT_THAT(message_of([&] { read_frames(folder / "song.mp3", {}); }), HasSubstr("only sound"));
}

TEST(BrokenFiles, NamesNeedNotBeUtf8) {
  TempFolder folder;
  const auto path = folder / "fil\xff\xfe m\n.mp4";
  test::write_numbered_film(path, 5, {.channels = 1});
  EXPECT_EQ(probe(path).video->frames, 5);
  EXPECT_EQ(read_frames(path, {}).pixels.size(0), 5);
}

TEST(BrokenFiles, ACutFilmGivesItsBeginningAndSaysSo) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 200, {.channels = 1});
  test::copy_film(folder / "a.mp4", folder / "a.mkv");
  const auto size = static_cast<int64_t>(std::filesystem::file_size(folder / "a.mp4"));
  test::cut_file(folder / "a.mp4", folder / "cut.mp4", size * 6 / 10);
  test::cut_file(folder / "a.mkv", folder / "cut.mkv",
                 static_cast<int64_t>(std::filesystem::file_size(folder / "a.mkv")) * 6 / 10);
  for (const char* name : {"cut.mp4", "cut.mkv"}) {
    SCOPED_TRACE(name);
    for (const bool all : {false, true}) {
      DecodePlan plan;
      plan.audio = AudioOptions{};
      plan.frame_jobs = {{.fps = 5}};
      plan.decode_all = all;
      const Decoded decoded = decode(folder / name, plan);
      EXPECT_FALSE(decoded.problems.empty());
      const auto count = decoded.frames[0].pixels.size(0);
      EXPECT_GT(count, 10);
      EXPECT_LT(count, 35);
      for (int64_t k = 0; k + 2 < count; ++k) {
        const Frames& frames = decoded.frames[0];
        const double shown = frames.shown_seconds[size_t(k)] - frames.shown_seconds[0];
        EXPECT_EQ(test::number_of(frames.pixels[k]), std::llround(shown * 25));
      }
      EXPECT_GT(decoded.audio->samples.size(1), 2 * 16000);
      EXPECT_LT(decoded.audio->samples.size(1), 7 * 16000);
    }
    const MediaInfo info = probe(folder / name);
    EXPECT_FALSE(info.problems.empty());
    EXPECT_LT(info.duration_seconds, 7);
    EXPECT_GT(info.duration_seconds, 2);
  }
  test::write_numbered_film(folder / "b.mp4", 3);
  test::cut_file(folder / "b.mp4", folder / "head.mp4", 40);
  expect_refused(folder / "head.mp4", "check that it is whole");
}

TEST(BrokenFiles, AHeaderThatLiesAboutLengthIsNotBelieved) {
  TempFolder folder;
  const at::Tensor tone = test::tone(440, 2, 16000);
  write_audio(folder / "a.wav", {tone, 16000, 0});
  test::cut_file(folder / "a.wav", folder / "cut.wav", -64000);  // one second of float samples
  const MediaInfo info = probe(folder / "cut.wav");
  EXPECT_NEAR(info.duration_seconds, 1, 1e-3);
  const Audio audio = read_audio(folder / "cut.wav");
  EXPECT_TRUE(at::equal(audio.samples, tone.narrow(1, 0, audio.samples.size(1))));
  EXPECT_NEAR(static_cast<double>(audio.samples.size(1)), 16000, 1);
}

TEST(BrokenFiles, AStreamWithoutContentIsAnErrorOnlyWhenAskedFor) {
  TempFolder folder;
  FilmWriter film(folder / "a.mp4", {.width = 64, .height = 64, .channels = 1});
  for (int i = 0; i < 10; ++i) film.add_frame(at::full({64, 64, 3}, 9 * i, at::kByte));
  film.finish();  // no sound was added
  EXPECT_EQ(read_frames(folder / "a.mp4", {}).pixels.size(0), 10);
  EXPECT_EQ(probe(folder / "a.mp4").video->frames, 10);
  EXPECT_THAT(message_of([&] { read_audio(folder / "a.mp4"); }), HasSubstr("sound"));
}

TEST(BrokenFiles, DamagedBytesNeverCrashOrHang) {
  TempFolder folder;
  test::write_numbered_film(folder / "a.mp4", 40, {.channels = 1, .key_frame_every = 10});
  test::copy_film(folder / "a.mp4", folder / "a.ts");
  test::copy_film(folder / "a.mp4", folder / "a.mkv");
  write_audio(folder / "a.mp3", {test::tone(440, 1, 44100), 44100, 0});
  write_audio(folder / "a.ogg", {test::tone(440, 1, 44100), 44100, 0});
  write_audio(folder / "a.flac", {test::tone(440, 1, 44100), 44100, 0});
  std::mt19937 random(1);
  int opened = 0;
  for (const std::string name : {"a.mp4", "a.ts", "a.mkv", "a.mp3", "a.ogg", "a.flac"}) {
    std::ifstream in(folder / name, std::ios::binary);
    const std::string original((std::istreambuf_iterator<char>(in)), {});
    for (int round = 0; round < 12; ++round) {
      std::string damaged = original;
      for (int i = 0; i < 1 + 4 * round; ++i) {
        damaged[random() % damaged.size()] = static_cast<char>(random());
      }
      if (round % 4 == 3) damaged.resize(random() % damaged.size() + 1);
      write_text(folder / "damaged", damaged);
      DecodePlan plan;
      const bool film = name == "a.mp4" || name == "a.ts" || name == "a.mkv";
      plan.audio = AudioOptions{};
      if (film) plan.frame_jobs = {{.fps = 5, .width = 64, .height = 32}};
      try {
        probe(folder / "damaged");
        const Decoded decoded = decode(folder / "damaged", plan);
        ++opened;
        EXPECT_LT(decoded.audio->samples.size(1), 16000 * 4000);
      } catch (const MediaError&) {
      }
    }
  }
  EXPECT_GT(opened, 20);
}

}  // namespace
}  // namespace vmr::media
