// Pins that the files of vmr fit never cost a user his own, and that markers count from the film's
// first frame.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "apps/process.h"
#include "support/films.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/media/film_writer.h"
#include "vmr/media/probe.h"

namespace vmr {
namespace {

namespace fs = std::filesystem;
using test::run_vmr;
using testing::HasSubstr;

std::string text_of(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class FitFiles : public testing::Test {
 protected:
  void SetUp() override {
    media::FilmWriter film(folder / "film.mp4",
                           {.width = 160, .height = 120, .fps = 25, .channels = 1});
    for (int frame = 0; frame < 6 * 25; ++frame) {  // a cut each 1.2 s
      auto picture = at::full({120, 160, 3}, frame / 30 % 2 == 1 ? 30 : 220, at::kByte);
      picture.narrow(0, 40, 30).narrow(1, 10 + 3 * (frame % 30), 40).fill_(128);
      film.add_frame(picture);
    }
    film.add_audio(test::tone(440, 6, 44100));
    film.finish();
    media::write_audio(folder / "song.wav", {test::click_track(100, 20, 16000).samples, 16000, 0});
  }
  test::ProcessResult fit(const std::string& film, const std::vector<std::string>& more) {
    std::vector<std::string> command = {"fit",     folder / film,   "--music", folder / "song.wav",
                                        "--store", folder / "store"};
    command.insert(command.end(), more.begin(), more.end());
    return run_vmr(command);
  }
  std::vector<double> cuts_of(const fs::path& markers) {
    std::vector<double> seconds;
    const auto document = nlohmann::json::parse(text_of(markers));
    for (const auto& marker : document.at("markers")) {
      if (marker.at("kind") == "cut") seconds.push_back(marker.at("film_seconds"));
    }
    return seconds;
  }

  test::TempFolder folder;
};

TEST_F(FitFiles, NeverReplaceWhatTheyAreMadeFrom) {
  const auto before = text_of(folder / "film.mp4");
  const auto page = fit("film.mp4", {"--report", folder / "film.mp4"});
  EXPECT_EQ(page.exit_code, 2);
  EXPECT_THAT(page.error, HasSubstr("a name that ends in .html"));
  fs::copy(folder / "film.mp4", folder / "film.edl");
  const auto markers = fit("film.edl", {"--markers", folder / "film.edl"});
  EXPECT_EQ(markers.exit_code, 3);
  EXPECT_THAT(markers.error, HasSubstr("a file that this command reads"));
  EXPECT_EQ(text_of(folder / "film.mp4"), before);
  EXPECT_EQ(text_of(folder / "film.edl"), before);
}

TEST_F(FitFiles, MarkersCountFromTheFirstFrame) {
  ASSERT_EQ(fit("film.mp4", {"--markers", folder / "plain.json"}).exit_code, 0);
  const auto cuts = cuts_of(folder / "plain.json");
  ASSERT_EQ(cuts.size(), 4u);
  for (size_t i = 0; i < cuts.size(); ++i) EXPECT_NEAR(cuts[i], 1.2 * double(i + 1), 1e-6);
  // The same film, whose sound begins half a second before the picture.
  test::CopyOptions options;
  options.retime = [](bool video, double seconds) { return seconds + (video ? 1.5 : 1.0); };
  test::copy_film(folder / "film.mp4", folder / "late.mkv", options);
  ASSERT_NEAR(media::probe(folder / "late.mkv").video->start_seconds, 0.5, 0.03);
  const auto late = fit("late.mkv", {"--markers", folder / "late.json"});
  ASSERT_EQ(late.exit_code, 0) << late.error;
  const auto late_cuts = cuts_of(folder / "late.json");
  ASSERT_EQ(late_cuts.size(), cuts.size());
  for (size_t i = 0; i < cuts.size(); ++i) EXPECT_NEAR(late_cuts[i], cuts[i], 2e-3);
}

TEST_F(FitFiles, AskForAFilmOfASteadyRateWhereTimecodeNeedsOne) {
  const auto sound = fit("song.wav", {"--markers", folder / "m.edl"});
  EXPECT_EQ(sound.exit_code, 3);
  EXPECT_THAT(sound.error, HasSubstr("no video stream"));
  std::vector<double> times;
  for (int i = 0; i < 60; ++i) times.push_back(i * 0.07 + (i % 3) * 0.01);
  test::write_timed_film(folder / "vary.mp4", times, {.channels = 0});
  const auto timecode = fit("vary.mp4", {"--markers", folder / "m.edl"});
  EXPECT_EQ(timecode.exit_code, 2);
  EXPECT_THAT(timecode.error, HasSubstr("--fps"));
  EXPECT_EQ(fit("vary.mp4", {"--markers", folder / "m.txt"}).exit_code, 0);
}

TEST_F(FitFiles, AFullDiskIsNoSuccess) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const auto result =
      test::run_program({"/bin/sh", "-c",
                         std::string(VMR_PROGRAM) + " probe '" + (folder / "film.mp4").string() +
                             "' --json > /dev/full"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, HasSubstr("output could not be written"));
}

}  // namespace
}  // namespace vmr
