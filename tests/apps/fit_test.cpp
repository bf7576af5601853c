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

// The clicks heard in a preview lie where offset and stretch put those of its track (from 0.25 s
// on, one every 60 / bpm): all of them, each within `bound` seconds. Not those in its fades, which
// last half a second.
void expect_clicks(const std::filesystem::path& preview, const nlohmann::json& hit, double bpm,
                   double track_seconds, double bound) {
  const double stretch = hit.at("metadata").at("synchronisation").at("stretch");
  const double offset = hit.at("offset_seconds");
  const auto sound = media::read_audio(preview, {.rate_hz = 44100});
  std::vector<double> heard;
  const double level = 0.5 * sound.samples.abs().max().item<double>();
  for (const double seconds : test::find_clicks(sound.samples, 44100, level)) {
    if (seconds > 0.6 && seconds < 7.4) heard.push_back(seconds);
  }
  std::vector<double> expected;
  for (double click = 0.25; click < track_seconds; click += 60 / bpm) {
    const double seconds = (click - offset) / stretch;
    if (seconds > 0.6 && seconds < 7.4) expected.push_back(seconds);
  }
  ASSERT_EQ(heard.size(), expected.size()) << preview;
  for (size_t i = 0; i < heard.size(); ++i) EXPECT_NEAR(heard[i], expected[i], bound) << preview;
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
  // Clicks are all peaks: no gain makes them as loud as music.
  EXPECT_THAT(result.error, HasSubstr("preview with clicks 120, "));
  EXPECT_THAT(result.error, HasSubstr(" LUFS (its peaks leave room for no more): "));
  expect_clicks(folder / "films" / "01_clicks_120.mp4", hits[0], 120, 20, 0.002);
  expect_clicks(folder / "films" / "02_1997.mp4", hits[1], 97, 20, 0.002);

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

TEST(FitCommand, AFilmThatCannotBeReadIsNamed) {
  const test::TempFolder folder;
  std::ofstream(folder / "film.mp4") << "this is no film";
  media::write_audio(folder / "120.wav", {test::click_track(120, 5, 16000).samples, 16000, 0});
  const auto result = run_vmr(
      {"fit", folder / "film.mp4", "--music", folder / "120.wav", "--store", folder / "store"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, HasSubstr("film.mp4"));
  EXPECT_EQ(result.out, "");
}

TEST(FitCommand, AShorterTrackBeginsWithinTheFilm) {
  const test::TempFolder folder;
  write_film(folder / "film.mp4");
  media::write_audio(folder / "120.wav", {test::click_track(120, 5, 16000).samples, 16000, 0});
  const auto result =
      run_vmr({"fit", folder / "film.mp4", "--music", folder / "120.wav", "--store",
               folder / "store", "--json", "--preview", folder / "films", "--preview-loudness",
               "off", "--report", folder / "page.html", "--markers", folder / "m.json"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const auto hit = result.json().at("hits").at(0);
  const double offset = hit.at("offset_seconds");
  EXPECT_LT(offset, 0);
  EXPECT_GE(offset, -3);
  expect_clicks(folder / "films" / "01_120.mp4", hit, 120, 5, 0.002);
  std::stringstream page;
  page << std::ifstream(folder / "page.html").rdbuf();
  EXPECT_THAT(page.str(), HasSubstr(" s into the film"));
  EXPECT_THAT(page.str(), HasSubstr("class=\"sound\""));
  // Its end is told wherever it lies before the film's.
  const auto& ends = hit.at("metadata").at("synchronisation").at("music_ends_seconds");
  ASSERT_TRUE(ends.is_number()) << ends;
  EXPECT_NEAR(ends.get<double>(), 5 - offset, 0.1);
  EXPECT_THAT(page.str(), HasSubstr("The music does not cover the film: it ends at "));
  const auto markers = nlohmann::json::parse(std::ifstream(folder / "m.json")).at("markers");
  EXPECT_EQ(std::count_if(markers.begin(), markers.end(),
                          [&](const auto& marker) {
                            return marker.at("kind") == "end" &&
                                   std::abs(marker.at("film_seconds").template get<double>() -
                                            ends.get<double>()) < 1e-6;
                          }),
            1);
}

TEST(FitCommand, SaysWhatCouldNotBeCompared) {
  const test::TempFolder folder;
  write_film(folder / "film.mp4");
  // A name with a line feed, an escape and a byte that is no UTF-8, and a track without beats.
  const std::string name = "calm\nsong \x1b[31m\xff.wav";
  std::filesystem::create_directory(folder / "music");
  media::write_audio(folder / "music" / name, {test::tone(220, 20, 16000, 0.1), 16000, 0});
  media::write_audio(folder / "music" / "120.wav",
                     {test::click_track(120, 5, 16000).samples, 16000, 0});
  const std::vector<std::string> command = {
      "fit", folder / "film.mp4", "--music", folder / "music", "--store", folder / "store"};
  const auto table = run_vmr(command);
  ASSERT_EQ(table.exit_code, 0) << table.error;
  EXPECT_THAT(table.out, HasSubstr("calm\\nsong \\x1B[31m\\xFF "));
  EXPECT_THAT(table.out, HasSubstr("  *\n"));
  EXPECT_THAT(table.out, HasSubstr("\n* no beats heard in this track"));
  EXPECT_THAT(table.out, HasSubstr("  +\n"));
  EXPECT_THAT(table.out, HasSubstr("\n+ this track is shorter than the film"));
  EXPECT_THAT(table.out, testing::Not(HasSubstr("no cuts")));
  auto more = command;
  more.insert(more.end(), {"--json", "--report", folder / "page.html"});
  const auto json = run_vmr(more);
  ASSERT_EQ(json.exit_code, 0) << json.error;
  int without = 0;
  const auto document = json.json();
  for (const auto& hit : document.at("hits")) {
    const auto& how = hit.at("metadata").at("synchronisation");
    if (how.at("track_has_beats").get<bool>()) continue;
    ++without;
    EXPECT_TRUE(how.at("beats_hit").is_null());
    EXPECT_TRUE(how.at("cut_error_ms").is_null());
    EXPECT_TRUE(how.at("music_ends_seconds").is_null());
  }
  EXPECT_EQ(without, 1);
  std::stringstream page;
  page << std::ifstream(folder / "page.html").rdbuf();
  EXPECT_THAT(page.str(), HasSubstr("no beats heard: by energy and sections alone"));

  // A film without cuts.
  media::FilmWriter still(folder / "still.mp4",
                          {.width = 160, .height = 120, .fps = 25, .channels = 0});
  for (int frame = 0; frame < 100; ++frame) {
    auto picture = at::full({120, 160, 3}, 60, at::kByte);
    picture.narrow(0, 40, 30).narrow(1, 10 + frame, 40).fill_(200);
    still.add_frame(picture);
  }
  still.finish();
  const auto calm = run_vmr(
      {"fit", folder / "still.mp4", "--music", folder / "music", "--store", folder / "store"});
  ASSERT_EQ(calm.exit_code, 0) << calm.error;
  EXPECT_THAT(calm.out, HasSubstr("\nno cuts were found in the film: ranked by its motion alone"));
}

TEST(FitCommand, PlaysTheTrackAtAnotherSpeedWhereThatIsAllowed) {
  const test::TempFolder folder;
  write_film(folder / "film.mp4");  // a cut every second
  // Over a tone: between bare clicks the player of other speeds has nothing to join its pieces by.
  const auto track = test::click_track(116, 20, 16000).samples + test::tone(220, 20, 16000, 0.1);
  media::write_audio(folder / "116.wav", {track, 16000, 0});
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
  expect_clicks(folder / "films" / "01_116.mp4", hit, 116, 20, 0.03);  // moved in pieces of 40 ms

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
