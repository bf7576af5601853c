// Pins what vmr fit writes for people: a film with each hit's track, and markers for editors that
// lie where the ranking says.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "apps/process.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/media/film_writer.h"
#include "vmr/media/probe.h"

namespace vmr {
namespace {

using test::run_vmr;
using testing::HasSubstr;

// Two pictures that change places every second.
void write_film(const std::filesystem::path& path) {
  media::FilmWriter writer(path, {.width = 160, .height = 120, .fps = 25, .channels = 0});
  for (int frame = 0; frame < 8 * 25; ++frame) {
    const bool other = frame / 25 % 2 == 1;
    auto picture = at::full({120, 160, 3}, other ? 30 : 120, at::kByte);
    picture.narrow(0, other ? 20 : 70, 30).narrow(1, 10 + frame % 100, 40).fill_(220);
    picture.select(2, other ? 0 : 2).fill_(200);
    writer.add_frame(picture);
  }
  writer.finish();
}

TEST(FitCommand, WritesPreviewsAndMarkersOfWhatItRanks) {
  const test::TempFolder folder;
  write_film(folder / "film.mp4");
  std::filesystem::create_directory(folder / "music");
  for (const int bpm : {97, 120}) {
    media::write_audio(
        folder / "music" / ((bpm == 97 ? "19" : "clicks ") + std::to_string(bpm) + ".wav"),
        {test::click_track(bpm, 20, 16000).samples, 16000, 0});
  }
  const auto fit = [&](const std::vector<std::string>& more) {
    std::vector<std::string> command = {"fit",     folder / "film.mp4", "--music", folder / "music",
                                        "--store", folder / "store",    "--json"};
    command.insert(command.end(), more.begin(), more.end());
    return run_vmr(command);
  };
  const auto result = fit({"--preview", folder / "films", "--markers", folder / "m.json"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const auto hits = result.json().at("hits");
  ASSERT_EQ(hits.size(), 2);
  EXPECT_EQ(hits[0].at("metadata").at("title"), "clicks 120");

  // Of each hit a film as long as the film, with sound, in the order of the ranking.
  for (const char* name : {"01_clicks_120.mp4", "02_1997.mp4"}) {
    const auto info = media::probe(folder / "films" / name);
    ASSERT_TRUE(info.video && info.audio) << name;
    EXPECT_NEAR(info.video->duration_seconds, 8, 0.01);
    EXPECT_NEAR(info.audio->duration_seconds, 8, 0.1);
  }
  EXPECT_THAT(result.error, HasSubstr("2 previews"));

  // The best track's beats in film time, at the film's own frame rate.
  const auto file = nlohmann::json::parse(std::ifstream(folder / "m.json"));
  EXPECT_EQ(file.at("frames_per_second"), 25);
  EXPECT_EQ(file.at("offset_seconds"), hits[0].at("offset_seconds"));
  int64_t cuts = 0, beats = 0;
  for (const auto& marker : file.at("markers")) {
    const std::string kind = marker.at("kind");
    cuts += kind == "cut";
    beats += kind == "beat" || kind == "down_beat";
    EXPECT_NEAR(
        marker.at("music_seconds").get<double>(),
        hits[0].at("offset_seconds").get<double>() + marker.at("film_seconds").get<double>(), 1e-6);
  }
  EXPECT_EQ(cuts, 7);
  EXPECT_NEAR(double(beats), 16, 1);

  // Names that cannot be written are said before the work.
  const auto taken = fit({"--preview", folder / "film.mp4"});
  EXPECT_EQ(taken.exit_code, 2);
  EXPECT_THAT(taken.error, HasSubstr("is a file; name a folder"));
  EXPECT_EQ(fit({"--markers", folder / "m.xml"}).exit_code, 2);
}

TEST(FitCommand, PlaysTheTrackAtAnotherSpeedWhereThatIsAllowed) {
  const test::TempFolder folder;
  write_film(folder / "film.mp4");  // a cut every second
  media::write_audio(folder / "116.wav", {test::click_track(116, 20, 16000).samples, 16000, 0});
  const auto fit = [&](const std::vector<std::string>& more) {
    std::vector<std::string> command = {
        "fit", folder / "film.mp4", "--music", folder / "116.wav", "--store", folder / "store"};
    command.insert(command.end(), more.begin(), more.end());
    return run_vmr(command);
  };
  const auto plain = fit({"--json"});
  ASSERT_EQ(plain.exit_code, 0) << plain.error;
  const auto result = fit({"--json", "--stretch", "0.95:1.05", "--preview", folder / "films",
                           "--markers", folder / "m.csv", "--report", folder / "page.html"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const auto hit = result.json().at("hits").at(0);
  const auto& how = hit.at("metadata").at("synchronisation");
  const double stretch = how.at("stretch"), offset = hit.at("offset_seconds");
  EXPECT_NEAR(stretch, 120.0 / 116, 0.006);  // two beats a second
  EXPECT_EQ(how.at("beats_hit"), 1);
  EXPECT_GT(hit.at("score").get<double>(),
            plain.json().at("hits").at(0).at("score").get<double>() + 0.5);
  EXPECT_NEAR(media::probe(folder / "films" / "01_116.mp4").audio->duration_seconds, 8, 0.1);

  // Beats in film time lie on the clicks as they are heard at that speed.
  std::ifstream csv(folder / "m.csv");
  int beats = 0;
  for (std::string line; std::getline(csv, line);) {
    std::istringstream fields(line);
    std::string name, kind, film, music;
    std::getline(fields, name, ',');
    std::getline(fields, kind, ',');
    std::getline(fields, film, ',');
    std::getline(fields, music, ',');
    if (kind != "beat" && kind != "down_beat") continue;
    ++beats;
    EXPECT_NEAR(std::stod(music), offset + stretch * std::stod(film), 2e-3) << line;
    EXPECT_LT(std::abs(std::remainder(std::stod(music) - 0.25, 60.0 / 116)), 0.02) << line;
  }
  EXPECT_NEAR(beats, 16, 1);
  std::stringstream page;
  page << std::ifstream(folder / "page.html").rdbuf();
  EXPECT_THAT(page.str(), HasSubstr("of its speed"));
  ASSERT_EQ(fit({"--markers", folder / "m.edl"}).exit_code, 0);
  std::string first;
  std::getline(std::ifstream(folder / "m.edl"), first);
  EXPECT_THAT(first, testing::StartsWith("TITLE: film.mp4 + 116"));

  for (const char* wrong : {"0.3:1", "1.05:0.95", "fast", "0.9:1.1x"}) {
    EXPECT_EQ(fit({"--stretch", wrong}).exit_code, 2) << wrong;
  }
}

}  // namespace
}  // namespace vmr
