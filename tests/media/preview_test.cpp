// Pins what is heard in a preview: the music at its sample, its tempo, loudness after BS.1770
// (worked out here), fades, the film's own sound; and that it is made in blocks.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "media/sound_stream.h"
#include "support/films.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"
#include "vmr/media/film_writer.h"
#include "vmr/media/probe.h"

namespace vmr::media {
namespace {

using test::TempFolder;

class Preview : public testing::Test {
 protected:
  std::filesystem::path film(int64_t frames, FilmWriterOptions options = {.channels = 0}) {
    test::write_numbered_film(folder / "film.mp4", frames, options);
    return folder / "film.mp4";
  }
  std::filesystem::path music(const at::Tensor& samples, double rate_hz,
                              const char* name = "music.wav") {
    write_audio(folder / name, {samples, rate_hz, 0});
    return folder / name;
  }
  // What is heard, [samples] of the left channel.
  at::Tensor heard(const char* name = "out.mp4") {
    sound = read_audio(folder / name, {.rate_hz = 0, .channels = 0});
    EXPECT_EQ(sound.samples.size(0), 2);
    return sound.samples[0];
  }
  at::Tensor heard_between(double from, double to) {
    return heard().narrow(0, std::llround(from * sound.rate_hz),
                          std::llround((to - from) * sound.rate_hz));
  }
  PreviewSummary write(const std::filesystem::path& film, const std::filesystem::path& music,
                       const PreviewOptions& options) {
    return write_preview(film, music, folder / "out.mp4", options);
  }

  TempFolder folder;
  Audio sound;
};

at::Tensor noise(int64_t samples, uint64_t seed = 7) {
  return at::rand({1, samples}, at::make_generator<at::CPUGeneratorImpl>(seed), at::kFloat) - 0.5;
}

// The shift in samples at which `part` (from `begin` on in truth) lies in `sound`.
int64_t shift_of(const at::Tensor& sound, const at::Tensor& part, int64_t begin, int64_t most) {
  int64_t best = 0;
  double best_value = 0;
  for (int64_t shift = -most; shift <= most; ++shift) {
    const double value =
        sound.narrow(0, begin + shift, part.size(0)).mul(part).sum().item<double>();
    if (value > best_value) best = shift;
    best_value = std::max(best_value, value);
  }
  return best;
}

TEST_F(Preview, TheMusicIsHeardAtItsSample) {
  // Silence, and noise from 2 s on.
  const at::Tensor burst = noise(8000);
  at::Tensor samples = at::zeros({1, 5 * 44100}, at::kFloat);
  samples.narrow(1, 88200, 8000).copy_(burst);
  const auto film_path = film(100);
  const auto music_path = music(samples, 44100);
  for (const char* out : {"out.mp4", "out.mov"}) {
    for (const int64_t offset : {0, 33333, -17777}) {
      SCOPED_TRACE(offset);
      write_preview(film_path, music_path, folder / out,
                    {.offset_seconds = double(offset) / 44100, .fade_seconds = 0.1});
      const at::Tensor left = heard(out);
      EXPECT_EQ(left.size(0), 4 * 44100);
      EXPECT_EQ(shift_of(left, burst[0], 88200 - offset, 300), 0) << out;
    }
  }
  // Matroska has no times below 0: the picture begins later instead, and times are whole
  // milliseconds.
  write_preview(film_path, music_path, folder / "out.mkv", {});
  const double first = probe(folder / "out.mkv").video->start_seconds;
  EXPECT_NEAR(first, 0.023, 0.001);
  const int64_t shift = shift_of(heard("out.mkv"), burst[0], 88200, 1500);
  EXPECT_NEAR(double(shift) / 44100, first, 0.001);
}

TEST_F(Preview, LeavesItsInputsAlone) {
  const auto film_path = film(20);
  const auto music_path = music(at::zeros({1, 44100}, at::kFloat), 44100);
  const auto bytes = std::filesystem::file_size(film_path);
  EXPECT_THROW(write_preview(film_path, music_path, folder / "." / film_path.filename()),
               InvalidArgument);
  EXPECT_EQ(std::filesystem::file_size(film_path), bytes);
}

TEST_F(Preview, StretchedClicksLieWhereTheTempoPutsThem) {
  // Over two tones: between bare clicks atempo has nothing to join its pieces by.
  const auto track = test::click_track(120, 45, 44100);
  const auto film_path = film(500);
  const auto music_path = music(
      track.samples + test::tone(220, 45, 44100, 0.15) + test::tone(277.2, 45, 44100, 0.1), 44100);
  for (const double stretch : {1.0, 1.04, 0.93, 0.8}) {
    SCOPED_TRACE(stretch);
    write(film_path, music_path, {.offset_seconds = 2.1, .fade_seconds = 0, .stretch = stretch});
    std::vector<double> expected;
    for (const double click : track.seconds) {
      const double at = (click - 2.1) / stretch;
      if (at > 0.05 && at < 19.95) expected.push_back(at);
    }
    std::vector<double> found;
    for (const double at : test::find_clicks(heard(), 44100, 0.5)) {
      if (at > 0.02 && at < 19.98) found.push_back(at);
    }
    ASSERT_EQ(found.size(), expected.size());
    const auto count = static_cast<double>(found.size());
    double sum_t = 0, sum_tt = 0, sum_e = 0, sum_te = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      const double error = found[i] - expected[i];
      EXPECT_NEAR(error, 0, stretch == 1 ? 1e-3 : 0.025) << expected[i];
      sum_t += expected[i];
      sum_tt += expected[i] * expected[i];
      sum_e += error;
      sum_te += expected[i] * error;
    }
    // The tempo, as the line through all clicks has it: what it is off by after 20 s.
    const double slope = (sum_te - sum_t * sum_e / count) / (sum_tt - sum_t * sum_t / count);
    EXPECT_NEAR(slope * 20, 0, 0.01);
  }
}

TEST_F(Preview, StretchedMusicKeepsItsPitch) {
  write(film(150), music(test::tone(440, 20, 44100), 44100),
        {.offset_seconds = -1, .fade_seconds = 0, .stretch = 1.25});
  EXPECT_LT(heard_between(0, 0.75).abs().max().item<double>(), 0.01);  // 1 s of music is 0.8 s
  EXPECT_NEAR(test::fit_sine(heard_between(2, 2.1), 440, 44100).amplitude, 0.5, 0.05);
  EXPECT_LT(test::fit_sine(heard_between(2, 2.1), 550, 44100).amplitude, 0.05);
}

// Integrated loudness of [channels, n] at 48 kHz: ITU-R BS.1770-4, annex 1, with the filters of its
// tables 1 and 2.
double integrated_lufs(const at::Tensor& samples) {
  constexpr double kShelf[] = {1.53512485958697, -2.69169618940638, 1.19839281085285,
                               -1.69065929318241, 0.73248077421585};
  constexpr double kHighPass[] = {1, -2, 1, -1.99004745483398, 0.99007225036621};
  constexpr int64_t kStep = 4800, kBlock = 4 * kStep;  // 0.4 s, every 0.1 s
  std::vector<double> sums(size_t(samples.size(1) / kStep));
  for (int64_t c = 0; c < samples.size(0); ++c) {
    const at::Tensor channel = samples[c].to(at::kDouble).contiguous();
    std::vector<double> signal(channel.const_data_ptr<double>(),
                               channel.const_data_ptr<double>() + channel.size(0));
    for (const auto* k : {kShelf, kHighPass}) {
      double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
      for (double& value : signal) {
        const double y = k[0] * value + k[1] * x1 + k[2] * x2 - k[3] * y1 - k[4] * y2;
        x2 = std::exchange(x1, value);
        y2 = std::exchange(y1, y);
        value = y;
      }
    }
    for (size_t i = 0; i < sums.size() * kStep; ++i) sums[i / kStep] += signal[i] * signal[i];
  }
  std::vector<double> powers;
  for (size_t i = 3; i < sums.size(); ++i) {
    powers.push_back((sums[i - 3] + sums[i - 2] + sums[i - 1] + sums[i]) / kBlock);
  }
  const auto lufs = [](double power) { return -0.691 + 10 * std::log10(power); };
  const auto mean_above = [&](double gate) {
    double sum = 0, count = 0;
    for (const double power : powers) {
      if (lufs(power) > gate) sum += power, ++count;
    }
    return lufs(sum / count);
  };
  return mean_above(mean_above(-70) - 10);
}

TEST_F(Preview, ASineGetsTheLoudnessThatWasAskedFor) {
  // 997 Hz of amplitude a on both sides is 20 lg a LUFS: -0.691 + its K-weighted power.
  const auto done = write(film(150), music(test::tone(997, 8, 48000), 48000),
                          {.fade_seconds = 0, .target_lufs = -16});
  EXPECT_NEAR(done.gain_db, -16 + 6.02, 0.05);
  EXPECT_NEAR(*done.loudness_lufs, -16, 1e-9);
  EXPECT_NEAR(*done.true_peak_dbtp, -16, 0.05);
  EXPECT_FALSE(done.held_by_peaks);
  EXPECT_NEAR(test::fit_sine(heard_between(1, 5), 997, 48000).amplitude, 0.1585, 0.002);
  EXPECT_NEAR(integrated_lufs(sound.samples), -16, 0.1);
}

TEST_F(Preview, LoudnessIsThatOfThePartThatIsHeard) {
  // Quiet, then loud, then loud and not heard: gates and the film's end decide. Without what lies
  // above 6 kHz, of which AAC drops some.
  at::Tensor samples = at::avg_pool1d(noise(48000 * 20), {8}, {1}, {4}).contiguous();
  samples.narrow(1, 0, 48000 * 4).mul_(0.02);
  samples.narrow(1, 48000 * 4, 48000 * 5).mul_(0.3);
  for (const double target : {-23.0, -16.0}) {
    for (const double stretch : {1.0, 1.1}) {
      const auto done =
          write(film(225), music(samples, 48000), {.stretch = stretch, .target_lufs = target});
      heard();
      EXPECT_NEAR(integrated_lufs(sound.samples), target, 0.5) << stretch;
      EXPECT_NEAR(*done.loudness_lufs, target, 1e-9);
    }
  }
}

TEST_F(Preview, PeaksHoldTheGain) {
  // Loud clicks, nothing between: -16 LUFS would lift them far over full scale.
  const auto done = write(film(150), music(test::click_track(120, 8, 48000).samples * 0.5, 48000),
                          {.fade_seconds = 0, .target_lufs = -6});
  EXPECT_TRUE(done.held_by_peaks);
  EXPECT_NEAR(*done.true_peak_dbtp, -1, 1e-9);
  EXPECT_LT(*done.loudness_lufs, -16);
  heard();
  EXPECT_NEAR(integrated_lufs(sound.samples), *done.loudness_lufs, 0.5);
  // Four times as dense: true peaks as BS.1770's annex 2 has them; AAC moves them a little.
  write_audio(folder / "dense.wav", sound);
  const Audio dense = read_audio(folder / "dense.wav", {.rate_hz = 192000});
  EXPECT_NEAR(20 * std::log10(dense.samples.abs().max().item<double>()), -1, 1);
}

TEST_F(Preview, SilenceStaysSilent) {
  const auto done = write(film(50), music(at::zeros({1, 44100 * 3}), 44100), {.target_lufs = -16});
  EXPECT_EQ(done.gain_db, 0);
  EXPECT_FALSE(done.loudness_lufs);
  EXPECT_EQ(heard().abs().max().item<double>(), 0);
}

TEST_F(Preview, TheFilmsOwnSoundIsMixedInAtItsGain) {
  const auto film_path = film(100, {.channels = 2});  // 440 Hz
  const double own =
      test::fit_sine(read_audio(film_path, {.rate_hz = 44100}).samples[0], 440, 44100).amplitude;
  const auto music_path = music(test::tone(660, 10, 44100, 0.2), 44100);
  const auto level = [&](double hz) {
    return test::fit_sine(heard_between(1, 3), hz, 44100).amplitude;
  };
  write(film_path, music_path, {});
  EXPECT_LT(level(440), 0.002);
  write(film_path, music_path, {.film_sound_gain_db = -6.0206});
  EXPECT_NEAR(level(440), own / 2, 0.005);
  EXPECT_NEAR(level(660), 0.2, 0.005);
  EXPECT_NEAR(test::fit_sine(heard_between(3.9, 4), 440, 44100).amplitude, own / 2, 0.02);
  write(film_path, music_path, {.target_lufs = -20, .film_sound_gain_db = 0});
  EXPECT_NEAR(level(440) / level(660), own / 0.2, 0.03 * own / 0.2);
  write(film(100), music_path, {.film_sound_gain_db = 0});  // a film without sound
  EXPECT_NEAR(level(660), 0.2, 0.005);
}

TEST_F(Preview, MusicFadesInWhereItIsCut) {
  const auto music_path = music(test::tone(440, 10, 44100), 44100);
  const auto film_path = film(75);
  write(film_path, music_path, {.offset_seconds = 3, .fade_seconds = 1});
  const auto level = [&](double from, double to) {
    return test::fit_sine(heard_between(from, to), 440, 44100).amplitude;
  };
  EXPECT_NEAR(level(0.2, 0.3), 0.125, 0.02);
  EXPECT_NEAR(level(0.45, 0.55), 0.25, 0.02);
  EXPECT_NEAR(level(1.2, 1.8), 0.5, 0.02);
  EXPECT_NEAR(level(2.7, 2.8), 0.125, 0.02);
  // Longer than the film: both at once over all of it.
  write(film_path, music_path, {.offset_seconds = 3, .fade_seconds = 100});
  EXPECT_NEAR(level(1.45, 1.55), 0.125, 0.02);
}

TEST_F(Preview, WhatTheMusicDoesNotCoverIsSilent) {
  const auto music_path = music(test::tone(440, 1, 44100), 44100);
  const auto film_path = film(75);
  const auto loudest = [&](double from, double to) {
    return heard_between(from, to).abs().max().item<double>();
  };
  write(film_path, music_path, {.fade_seconds = 0});
  EXPECT_EQ(heard().size(0), 3 * 44100);
  EXPECT_GT(loudest(0.5, 0.9), 0.4);
  EXPECT_LT(loudest(1.1, 3), 1e-3);
  for (const double offset : {20.0, -20.0}) {  // behind the music, behind the film
    write(film_path, music_path, {.offset_seconds = offset, .target_lufs = -16});
    EXPECT_EQ(heard().size(0), 3 * 44100) << offset;
    EXPECT_EQ(loudest(0, 3), 0) << offset;
  }
}

TEST_F(Preview, BlocksOfAStreamAreTheWholeSound) {
  const at::Tensor samples = at::cat({noise(44100 * 7 + 123), noise(44100 * 7 + 123, 8)});
  for (const char* name : {"a.wav", "a.m4a", "a.mp3", "a.flac"}) {
    const auto path = music(samples, 44100, name);
    for (const AudioOptions& options :
         {AudioOptions{.rate_hz = 44100, .channels = 2},
          AudioOptions{.rate_hz = 48000, .channels = 2, .start_seconds = 2.5},
          AudioOptions{.rate_hz = 44100, .channels = 2, .start_seconds = 50}}) {
      detail::SoundStream stream("test", path, options, {});
      std::vector<at::Tensor> blocks{at::zeros({2, 0})};
      size_t longest = 0;
      for (at::Tensor block = stream.next(); block.size(1) > 0; block = stream.next()) {
        longest = std::max(longest, size_t(block.size(1)));
        blocks.push_back(block);
      }
      EXPECT_TRUE(at::equal(at::cat(blocks, 1), read_audio(path, options).samples)) << name;
      EXPECT_LE(longest, 2 * 48000u) << name;
    }
  }
}

TEST_F(Preview, OptionsOutOfRangeAreRefused) {
  const auto message = [](const PreviewOptions& options) -> std::string {
    try {
      validate(options);
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message({.stretch = 2.1}),
            "PreviewOptions: stretch is 2.1, expected 0.5 to 2 times the music's tempo");
  EXPECT_EQ(message({.target_lufs = 1}),
            "PreviewOptions: target_lufs is 1, expected -60 to 0 LUFS");
  EXPECT_EQ(message({.film_sound_gain_db = 30}),
            "PreviewOptions: film_sound_gain_db is 30, expected -100 to 24 dB");
  EXPECT_NE(message({.offset_seconds = NAN}), "");
  EXPECT_NE(message({.fade_seconds = -1}), "");
  EXPECT_NE(message({.stretch = NAN}), "");
  EXPECT_EQ(message({.stretch = 0.5, .target_lufs = -60, .film_sound_gain_db = -100}), "");
}

TEST_F(Preview, WhatCannotBeMadeLeavesNoFile) {
  const auto film_path = film(50);
  const auto music_path = music(test::tone(440, 1, 44100), 44100);
  const auto fails = [&](const std::filesystem::path& with, const std::filesystem::path& under) {
    try {
      write(under, with, {.target_lufs = -16});
    } catch (const MediaError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(fails(film_path, film_path),
            "write_preview: " + film_path.string() + ": has no sound; give a music file");
  EXPECT_EQ(fails(music_path, music_path),
            "write_preview: " + music_path.string() + ": has no video; give a film");
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_THROW(write_preview(film_path, music_path, folder / "out.mp4", {}, stopped.get_token()),
               Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "out.mp4"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 2);
}

}  // namespace
}  // namespace vmr::media
