// Pins sample counts, frequency, phase, level and the time of clicks in decoded sound.
#include "vmr/media/audio_reader.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/films.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"
#include "vmr/media/audio_blocks.h"
#include "vmr/media/decode.h"
#include "vmr/media/film_writer.h"
#include "vmr/media/video_reader.h"

namespace vmr::media {
namespace {

using test::TempFolder;

TEST(AudioReader, EveryCodecIsGaplessAndInPhase) {
  TempFolder folder;
  for (const std::string extension : {".wav", ".flac", ".m4a", ".ogg", ".mp3"}) {
    for (const double rate : {44100.0, 48000.0}) {
      const auto path = folder / ("tone" + extension);
      write_audio(path, {test::tone(440, 1.23, rate), rate, 0});
      const Audio audio = read_audio(path, {.rate_hz = 0});
      SCOPED_TRACE(extension);
      EXPECT_EQ(audio.rate_hz, rate);
      EXPECT_EQ(audio.samples.size(1), std::llround(1.23 * rate));
      const auto inner = audio.samples[0].narrow(0, 2000, 40000);
      const auto fit = test::fit_sine(inner, 440, rate, 2000 / rate);
      EXPECT_NEAR(fit.amplitude, 0.5, extension == ".mp3" ? 0.03 : 0.005);  // LAME scales by 0.95
      EXPECT_NEAR(fit.phase, 0, 2 * M_PI * 440 * 0.5 / rate);               // half a sample
      if (extension == ".flac") {
        EXPECT_TRUE(at::allclose(audio.samples, test::tone(440, 1.23, rate), 0, 1.0 / (1 << 22)));
      }
      if (extension == ".wav") {
        EXPECT_TRUE(at::equal(audio.samples, test::tone(440, 1.23, rate)));
      }
    }
  }
}

TEST(AudioReader, BlocksAreThePiecesOfTheWhole) {
  TempFolder folder;
  for (const std::string extension : {".wav", ".m4a", ".mp3"}) {
    const auto path = folder / ("tone" + extension);
    write_audio(path, {test::tone(440, 5.3, 44100), 44100, 0});
    const AudioOptions options{.rate_hz = 16000, .start_seconds = 0.4, .duration_seconds = 4.5};
    std::vector<at::Tensor> pieces;
    const auto problems = read_audio_blocks(path, options, [&](const at::Tensor& block) {
      EXPECT_LT(block.size(1), 3 * 16000) << extension;
      pieces.push_back(block);
      return true;
    });
    EXPECT_GT(pieces.size(), 2u) << extension;
    EXPECT_TRUE(at::equal(at::cat(pieces, 1), read_audio(path, options).samples)) << extension;
    EXPECT_TRUE(problems.empty()) << extension;
  }
  int blocks = 0;
  const auto enough = [&](const at::Tensor&) { return ++blocks < 2; };
  read_audio_blocks(folder / "tone.mp3", {}, enough);
  EXPECT_EQ(blocks, 2);
  EXPECT_THROW(read_audio_blocks(folder / "tone.mp3", {.channels = 9}, enough), InvalidArgument);
  EXPECT_THROW(read_audio_blocks(folder / "nowhere.mp3", {}, enough), MediaError);
}

TEST(AudioReader, ResamplingKeepsCountFrequencyPhaseAndLevel) {
  TempFolder folder;
  for (const double from : {44100.0, 48000.0, 22050.0, 8000.0, 16000.0}) {
    const auto path = folder / "tone.wav";
    const at::Tensor tone = test::tone(1000, 1.0003, from);
    write_audio(path, {tone, from, 0});
    for (const double to : {16000.0, 22050.0, 44100.0}) {
      const Audio audio = read_audio(path, {.rate_hz = to});
      const auto expected =
          static_cast<int64_t>(std::ceil(static_cast<double>(tone.size(1)) * to / from - 1e-9));
      EXPECT_EQ(audio.samples.size(1), expected) << from << " to " << to;
      const auto skip = static_cast<int64_t>(to / 50);
      const auto fit = test::fit_sine(audio.samples[0].narrow(0, skip, expected - 2 * skip), 1000,
                                      to, static_cast<double>(skip) / to);
      EXPECT_NEAR(fit.amplitude, 0.5, 0.001) << from << " to " << to;
      EXPECT_NEAR(fit.phase, 0, 0.002) << from << " to " << to;  // 0.3 microseconds
    }
  }
}

TEST(AudioReader, AToneAboveTheNewLimitIsGone) {
  TempFolder folder;
  write_audio(folder / "a.wav", {test::tone(9000, 1, 44100), 44100, 0});
  EXPECT_LT(read_audio(folder / "a.wav", {.rate_hz = 16000})
                .samples.abs()
                .narrow(1, 500, 15000)
                .max()
                .item<float>(),
            1e-3);
}

TEST(AudioReader, ClicksAreFoundToTheMillisecond) {
  TempFolder folder;
  const auto track = test::click_track(128, 5, 44100);
  for (const std::string extension : {".wav", ".m4a", ".mp3", ".ogg"}) {
    write_audio(folder / ("c" + extension), {track.samples, 44100, 0});
    const Audio audio = read_audio(folder / ("c" + extension));
    const auto found = test::find_clicks(audio.samples, 16000, 0.3);
    ASSERT_EQ(found.size(), track.seconds.size()) << extension;
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], track.seconds[i], 1e-3) << extension;
    }
  }
}

TEST(AudioReader, MixesDownToTheMeanAndKeepsChannels) {
  TempFolder folder;
  at::Tensor six = at::cat({test::tone(300, 0.5, 44100), test::tone(500, 0.5, 44100),
                            test::tone(700, 0.5, 44100), test::tone(900, 0.5, 44100),
                            test::tone(1100, 0.5, 44100), test::tone(1300, 0.5, 44100)});
  write_audio(folder / "six.wav", {six, 44100, 0});
  EXPECT_TRUE(
      at::equal(read_audio(folder / "six.wav", {.rate_hz = 0, .channels = 0}).samples, six));
  EXPECT_TRUE(at::allclose(read_audio(folder / "six.wav", {.rate_hz = 0}).samples,
                           six.mean(0, true), 1e-5, 1e-6));
  const Audio two = read_audio(folder / "six.wav", {.rate_hz = 0, .channels = 2});
  EXPECT_EQ(two.samples.size(0), 2);
  EXPECT_LE(two.samples.abs().max().item<float>(), 1.0f);
  // Front left stays on the left only.
  EXPECT_GT(test::fit_sine(two.samples[0], 300, 44100).amplitude, 0.1);
  EXPECT_LT(test::fit_sine(two.samples[1], 300, 44100).amplitude, 0.005);

  const at::Tensor mono = test::tone(440, 0.5, 44100);
  write_audio(folder / "mono.wav", {mono, 44100, 0});
  const Audio doubled = read_audio(folder / "mono.wav", {.rate_hz = 0, .channels = 2});
  EXPECT_TRUE(at::equal(doubled.samples, mono.repeat({2, 1})));
}

TEST(AudioReader, ARangeIsTheSameSamplesAsTheWhole) {
  TempFolder folder;
  write_audio(folder / "a.mp3", {test::click_track(140, 4, 44100).samples, 44100, 0});
  for (const double rate : {16000.0, 44100.0}) {
    const Audio whole = read_audio(folder / "a.mp3", {.rate_hz = rate});
    const Audio part = read_audio(
        folder / "a.mp3", {.rate_hz = rate, .start_seconds = 1.25, .duration_seconds = 1.5});
    EXPECT_DOUBLE_EQ(part.start_seconds, 1.25);
    EXPECT_TRUE(at::equal(part.samples, whole.samples.narrow(1, std::llround(1.25 * rate),
                                                             std::llround(1.5 * rate))));
    const Audio tail = read_audio(folder / "a.mp3",
                                  {.rate_hz = rate, .start_seconds = 3.5, .duration_seconds = 9});
    EXPECT_EQ(tail.samples.size(1), std::llround(0.5 * rate));
    const Audio past = read_audio(folder / "a.mp3", {.rate_hz = rate, .start_seconds = 30});
    EXPECT_EQ(past.samples.sizes(), (std::vector<int64_t>{1, 0}));
  }
}

TEST(AudioReader, SoundInAFilmKeepsItsPlaceOnTheClock) {
  TempFolder folder;
  const auto track = test::click_track(100, 3, 48000);
  FilmWriter film(folder / "a.mp4", {.width = 64, .height = 64, .rate_hz = 48000, .channels = 1});
  for (int i = 0; i < 75; ++i) film.add_frame(at::zeros({64, 64, 3}, at::kByte));
  film.add_audio(track.samples);
  film.finish();
  test::copy_film(folder / "a.mp4", folder / "b.mkv");
  test::copy_film(folder / "a.mp4", folder / "c.mkv", {.shift_seconds = 2});
  for (const char* name : {"a.mp4", "b.mkv", "c.mkv"}) {
    // The copies no longer say that the encoder's delay is to be cut: the clock begins with it, for
    // sound and picture alike.
    const double start = read_frames(folder / name, {.max_frames = 1}).shown_seconds[0];
    EXPECT_NEAR(start, name[0] == 'a' ? 0 : 1024 / 48000.0, 1e-3) << name;
    const Audio audio = read_audio(folder / name);
    const auto found = test::find_clicks(audio.samples, 16000, 0.3);
    ASSERT_EQ(found.size(), track.seconds.size()) << name;
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], start + track.seconds[i], 1e-3) << name;
    }
  }
  EXPECT_EQ(read_audio(folder / "a.mp4", {.rate_hz = 0}).samples.size(1), 3 * 48000);
}

TEST(AudioReader, AHoleInTheSoundIsSilenceOfItsLength) {
  TempFolder folder;
  const auto track = test::click_track(120, 4, 48000);  // a click every half second
  FilmWriter film(folder / "a.mp4", {.width = 64, .height = 64, .rate_hz = 48000, .channels = 1});
  for (int i = 0; i < 100; ++i) film.add_frame(at::zeros({64, 64, 3}, at::kByte));
  film.add_audio(track.samples);
  film.finish();
  test::copy_film(folder / "a.mp4", folder / "b.mkv",
                  {.drop_sound_from = 1.1, .drop_sound_to = 2.1});
  DecodePlan plan;
  plan.audio = AudioOptions{};
  plan.frame_jobs = {{.max_frames = 1}};
  const Decoded decoded = decode(folder / "b.mkv", plan);
  ASSERT_EQ(decoded.problems.size(), 1u);
  EXPECT_NE(decoded.problems[0].find("filled with silence"), std::string::npos);
  const double start = decoded.frames[0].shown_seconds[0];
  const auto found = test::find_clicks(decoded.audio->samples, 16000, 0.3);
  const std::vector<double> expected{0.25, 0.75, 2.25, 2.75, 3.25, 3.75};
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], start + expected[i], 1e-3);
}

TEST(AudioReader, WholeFilesOfNoiseHaveNoProblems) {
  TempFolder folder;
  at::manual_seed(5);
  const at::Tensor noise = at::rand({1, 3 * 44100}) - 0.5;
  // Noise as FLAC holds places that look like the start of a packet.
  for (const std::string extension : {".wav", ".flac", ".m4a", ".ogg", ".mp3"}) {
    const auto path = folder / ("noise" + extension);
    write_audio(path, {noise, 44100, 0});
    DecodePlan plan;
    plan.audio = AudioOptions{};
    const auto problems = decode(path, plan).problems;
    EXPECT_TRUE(problems.empty()) << extension << ": " << problems.front();
  }
}

TEST(AudioReader, AChangeOfRateInsideAFileIsFollowed) {
  TempFolder folder;
  write_audio(folder / "a.mp3", {test::tone(440, 1, 44100), 44100, 0});
  write_audio(folder / "b.mp3", {test::tone(440, 1, 32000), 32000, 0});
  test::join_files(folder / "a.mp3", folder / "b.mp3", folder / "c.mp3");
  const Audio audio = read_audio(folder / "c.mp3");
  EXPECT_NEAR(static_cast<double>(audio.samples.size(1)) / 16000, 2, 0.15);
  for (const int64_t at : {3000, 20000}) {
    EXPECT_NEAR(test::fit_sine(audio.samples[0].narrow(0, at, 8000), 440, 16000).amplitude, 0.48,
                0.02);
  }
}

TEST(AudioReader, RefusesOptionsThatMakeNoSense) {
  TempFolder folder;
  write_audio(folder / "a.wav", {test::tone(440, 0.1, 16000), 16000, 0});
  EXPECT_THROW(read_audio(folder / "a.wav", {.rate_hz = -1}), InvalidArgument);
  EXPECT_THROW(read_audio(folder / "a.wav", {.rate_hz = 16000.5}), InvalidArgument);
  EXPECT_THROW(read_audio(folder / "a.wav", {.channels = 9}), InvalidArgument);
  EXPECT_THROW(read_audio(folder / "a.wav", {.start_seconds = -1}), InvalidArgument);
  EXPECT_THROW(read_audio(folder / "a.wav", {.duration_seconds = NAN}), InvalidArgument);
}

}  // namespace
}  // namespace vmr::media
